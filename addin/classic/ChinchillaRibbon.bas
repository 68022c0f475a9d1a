Attribute VB_Name = "ChinchillaRibbon"
Option Explicit
' What the buttons of the ribbon do. Private procedures would be out of the ribbon's reach.

Private Const TITLE As String = "chinchilla-xl"
Private Const FILE_NAME As String = "chinchilla-xl.xlam"
Private Const OFFICE_PREFIX As String = "_xldudf_"
Private Const SHOWN As Long = 12

Public Sub NewBudget(control As IRibbonControl)
    Dim path As Variant
    path = Application.GetSaveAsFilename("budget.xlsx", "Excel workbook (*.xlsx), *.xlsx", , "New budget")
    If VarType(path) = vbBoolean Then Exit Sub
    If Len(Dir$(path)) > 0 Then
        If MsgBox(path & vbNewLine & "exists already. Replace it?", vbYesNo + vbExclamation, TITLE) <> vbYes Then Exit Sub
    End If
    On Error GoTo failed
    XLPy.Call XLPy.Module("chinchilla_xl.workbooks"), "new", XLPy.Tuple("budget", path)
    Workbooks.Open path
    BindWorkbook ActiveWorkbook
    Exit Sub
failed:
    MsgBox "The budget was not made: " & LastLine(Err.Description), vbExclamation, TITLE
End Sub

Public Sub Recalculate(control As IRibbonControl)
    Application.CalculateFull
End Sub

Public Sub BindFormulas(control As IRibbonControl)
    If ActiveWorkbook Is Nothing Then Exit Sub
    MsgBox BindWorkbook(ActiveWorkbook), vbInformation, TITLE
End Sub

Public Sub ShowMessages(control As IRibbonControl)
    Dim text As String
    text = LastMessages(SHOWN)
    If Len(text) = 0 Then text = "No function has given a message since Excel was started."
    MsgBox Left$(text, 1000), vbInformation, TITLE & ": last messages"
End Sub

Public Sub ShowHelp(control As IRibbonControl)
    MsgBox "Insert Function (fx), category " & TITLE & ", explains each function and argument." & vbNewLine & vbNewLine & _
        "At a command prompt:" & vbNewLine & _
        "chinchilla-xl functions OPT_PARAMS   explains one" & vbNewLine & _
        "chinchilla-xl addin doctor           says what is wrong, and how to mend it" & vbNewLine & vbNewLine & _
        "#NAME? in a file made elsewhere: Bind formulas." & vbNewLine & _
        "Another error: Last messages." & vbNewLine & vbNewLine & _
        "Python: " & GetConfig("INTERPRETER_WIN", "not set") & vbNewLine & _
        "xlwings: " & XLWINGS_VERSION, vbInformation, TITLE
End Sub

' Enters our formulas again, so that Excel looks their functions up anew; says how many.
Private Function BindWorkbook(ByVal book As Workbook) As String
    Dim sheet As Worksheet
    Dim bound As Long
    Dim refused As Long
    Dim mode As XlCalculation
    mode = Application.Calculation
    On Error GoTo finish
    Application.ScreenUpdating = False
    Application.Calculation = xlCalculationManual
    For Each sheet In book.Worksheets
        BindSheet sheet, bound, refused
    Next sheet
finish:
    BindWorkbook = bound & " formulas entered again."
    If refused > 0 Then BindWorkbook = BindWorkbook & " " & refused & " could not be: is the sheet protected, or an array formula longer than 255 characters?"
    If Err.Number <> 0 Then BindWorkbook = BindWorkbook & " Stopped: " & Err.Description
    Application.Calculation = mode
    Application.ScreenUpdating = True
End Function

Private Sub BindSheet(ByVal sheet As Worksheet, ByRef bound As Long, ByRef refused As Long)
    Dim formulas As Range
    Dim cell As Range
    On Error Resume Next ' a sheet without formulas is an error of SpecialCells
    Set formulas = sheet.UsedRange.SpecialCells(xlCellTypeFormulas)
    On Error GoTo 0
    If formulas Is Nothing Then Exit Sub
    For Each cell In formulas.Cells
        If IsOurs(cell.Formula) Then
            If BindCell(cell) Then
                bound = bound + 1
            Else
                refused = refused + 1
            End If
        End If
    Next cell
End Sub

' Late bound: Excel before dynamic arrays has no Formula2, and none of its cells needs it.
Private Function BindCell(ByVal cell As Object) As Boolean
    Dim text As String
    On Error Resume Next
    If cell.HasArray Then
        If cell.Address = cell.CurrentArray.Cells(1, 1).Address Then
            cell.CurrentArray.FormulaArray = PlainFormula(cell.CurrentArray.FormulaArray)
        End If
    Else
        text = cell.Formula2
        If Err.Number <> 0 Then
            Err.Clear
            cell.Formula = PlainFormula(cell.Formula)
        Else
            cell.Formula2 = PlainFormula(text)
        End If
    End If
    BindCell = (Err.Number = 0)
    On Error GoTo 0
End Function

Private Function IsOurs(ByVal formula As String) As Boolean
    Dim ours As Variant
    For Each ours In FunctionNames()
        If InStr(1, formula, ours & "(", vbTextCompare) > 0 Then
            IsOurs = True
            Exit Function
        End If
    Next ours
End Function

' The formula with plain names: no link to a copy of this add-in, no prefix of Office.js add-ins.
Private Function PlainFormula(ByVal formula As String) As String
    Dim ours As Variant
    formula = WithoutLinks(formula)
    For Each ours In FunctionNames()
        formula = Replace(formula, OFFICE_PREFIX & ours & "(", ours & "(", , , vbTextCompare)
    Next ours
    PlainFormula = formula
End Function

Private Function WithoutLinks(ByVal formula As String) As String
    Dim last As Long
    Dim first As Long
    Do
        last = InStr(1, formula, FILE_NAME & "'!", vbTextCompare)
        If last = 0 Then Exit Do
        first = InStrRev(formula, "'", last)
        If first = 0 Then Exit Do
        formula = Left$(formula, first - 1) & Mid$(formula, last + Len(FILE_NAME) + 2)
    Loop
    WithoutLinks = Replace(formula, FILE_NAME & "!", "", , , vbTextCompare)
End Function

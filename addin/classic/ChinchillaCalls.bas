Attribute VB_Name = "ChinchillaCalls"
Option Explicit
Option Private Module
' Calls the functions in Python: arguments as values, errors as Excel's own, messages kept.
' The function stubs in ChinchillaFunctions are generated; this module is not.

Private Const PYTHON_MODULE As String = "chinchilla_xl.excel"
Private Const LONGEST_LOG As Long = 200
Private Const ERROR_UNION As String = "#VALUE! an argument must be one range, not a union"

Private messageLog As Collection

' What the worksheet gets from the function functionName of chinchilla_xl.excel.
Public Function CallPython(ByVal functionName As String, ByVal arguments As Variant) As Variant
    Dim i As Long
    Dim answer As Variant
    On Error GoTo failed
    For i = LBound(arguments) To UBound(arguments)
        If VarType(arguments(i)) = vbString Then
            If arguments(i) = ERROR_UNION Then
                CallPython = CellValue(functionName, ERROR_UNION)
                Exit Function
            End If
        End If
    Next i
    answer = XLPy.CallUDF(PYTHON_MODULE, functionName, arguments, ThisWorkbook, Application.Caller)
    CallPython = CellValues(functionName, answer)
    Exit Function
failed:
    Remember functionName, "Python could not be called: " & LastLine(Err.Description)
    CallPython = CVErr(xlErrValue)
End Function

' An argument as a value: what is left out is blank, a range is its Value2, which keeps the digits
' of currencies; errors and arrays go as they are.
Public Function Argument(Optional ByRef given As Variant) As Variant
    If IsMissing(given) Then
        Argument = Empty
    ElseIf IsObject(given) Then
        If given.Areas.Count > 1 Then
            Argument = ERROR_UNION
        Else
            Argument = given.Value2
        End If
    Else
        Argument = given
    End If
End Function

Private Function CellValues(ByVal functionName As String, ByVal answer As Variant) As Variant
    Dim row As Long
    Dim column As Long
    If Not IsArray(answer) Then
        CellValues = CellValue(functionName, answer)
        Exit Function
    End If
    If HasColumns(answer) Then
        For row = LBound(answer, 1) To UBound(answer, 1)
            For column = LBound(answer, 2) To UBound(answer, 2)
                answer(row, column) = CellValue(functionName, answer(row, column))
            Next column
        Next row
    Else
        For column = LBound(answer) To UBound(answer)
            answer(column) = CellValue(functionName, answer(column))
        Next column
    End If
    CellValues = answer
End Function

Private Function HasColumns(ByVal answer As Variant) As Boolean
    Dim upper As Long
    On Error Resume Next
    upper = UBound(answer, 2)
    HasColumns = (Err.Number = 0)
    On Error GoTo 0
End Function

' A text that starts with the code of an error becomes that error, and its message is kept.
Private Function CellValue(ByVal functionName As String, ByVal answer As Variant) As Variant
    Dim blank As Long
    Dim code As String
    CellValue = answer
    If VarType(answer) <> vbString Then Exit Function
    If Left$(answer, 1) <> "#" Then Exit Function
    blank = InStr(answer, " ")
    If blank = 0 Then
        code = answer
    Else
        code = Left$(answer, blank - 1)
    End If
    Select Case code
        Case "#NULL!": CellValue = CVErr(xlErrNull)
        Case "#DIV/0!": CellValue = CVErr(xlErrDiv0)
        Case "#VALUE!": CellValue = CVErr(xlErrValue)
        Case "#REF!": CellValue = CVErr(xlErrRef)
        Case "#NAME?": CellValue = CVErr(xlErrName)
        Case "#NUM!": CellValue = CVErr(xlErrNum)
        Case "#N/A": CellValue = CVErr(xlErrNA)
        Case Else: Exit Function
    End Select
    If blank > 0 Then Remember functionName, CStr(answer)
End Function

Private Sub Remember(ByVal functionName As String, ByVal message As String)
    Dim entry As String
    If messageLog Is Nothing Then Set messageLog = New Collection
    entry = CallerAddress() & "  " & functionName & ": " & message
    If messageLog.Count > 0 Then
        If messageLog(messageLog.Count) = entry Then Exit Sub
    End If
    messageLog.Add entry
    If messageLog.Count > LONGEST_LOG Then messageLog.Remove 1
    Debug.Print entry
End Sub

Private Function CallerAddress() As String
    On Error Resume Next
    CallerAddress = "VBA"
    CallerAddress = Application.Caller.Worksheet.Name & "!" & Application.Caller.Address(False, False)
    On Error GoTo 0
End Function

' What an exception says, without the traceback above it.
Public Function LastLine(ByVal text As String) As String
    Dim lines() As String
    Dim i As Long
    lines = Split(Replace(text, vbCr, ""), vbLf)
    For i = UBound(lines) To LBound(lines) Step -1
        LastLine = Trim$(lines(i))
        If Len(LastLine) > 0 Then Exit Function
    Next i
End Function

' The last messages, newest first.
Public Function LastMessages(ByVal count As Long) As String
    Dim i As Long
    If messageLog Is Nothing Then Exit Function
    For i = messageLog.Count To 1 Step -1
        If messageLog.Count - i >= count Then Exit For
        LastMessages = LastMessages & messageLog(i) & vbNewLine
    Next i
End Function

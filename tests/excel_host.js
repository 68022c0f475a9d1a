// What desktop Excel puts into the page of an add-in before office.js runs. There are two hooks:
//
//   window.external.GetContext()   tells office.js in which application it is, and what that can do
//   _richApiNativeBridge           carries messages: office.js asks for properties of the workbook
//                                  and hands over results; Excel asks for custom functions
//
// excelCall(name, args) is Excel computing a cell: it resolves to { value } or { error, message }.
(() => {
  const REQUEST = 1; // office.js to Excel
  const RESPONSE = 2;
  const EVENT = 3; // Excel to office.js
  const CUSTOM_FUNCTION = { messageCategory: 1, messageType: 1000 };
  const QUERY = 2; // the kind of action that reads properties
  const SET_RESULTS = /Set(Invocation(Array)?Results)$/;

  const requirements = {
    ExcelApi: 1.17,
    CustomFunctions: 1.7,
    CustomFunctionsRuntime: Number(window.excelRuntime ?? 1.4),
    SharedRuntime: 1.2,
    RibbonApi: 1.2,
    DialogApi: 1.2,
  };
  const answers = {
    GetAppType: 1, // Excel
    GetSolutionRef: "00000000-0000-0000-0000-000000000001",
    GetAppVersionMajor: 16,
    GetAppVersionMinor: 1,
    GetAppUILocale: 1033,
    GetAppDataLocale: 1033,
    GetDocUrl: "C:\\Book1.xlsx",
    GetAppCapabilities: 0,
    GetActivationMode: 0,
    GetControlIntegrationLevel: 0,
    GetSettings: { Read() {}, Write() {} },
    GetSolutionToken: "",
    GetCorrelationId: "correlation",
    GetInstanceId: "instance",
    GetTouchEnabled: false,
    GetCommerceAllowed: false,
    GetSupportedMatrix: JSON.stringify(requirements),
    GetHostCustomMessage: 0,
    GetHostFullVersion: "16.0.18000.20000",
    GetDialogRequirementMatrix: "{}",
    GetInitialDisplayMode: 0,
    GetFeaturesForSolution: "{}",
  };
  const context = Object.fromEntries(
    Object.entries(answers).map(([question, answer]) => [question, () => answer]),
  );
  Object.defineProperty(window, "external", { value: { GetContext: () => context } });

  const workbook = { Name: "Book1", ShortDatePattern: "m/d/yyyy", CultureName: "en-US" };
  const waiting = new Map(); // calls that Excel waits for, by their number
  let latest = 0;

  const bridge = {
    onMessageFromHost: null,
    sendMessageToHost(text) {
      const message = JSON.parse(text);
      if (message.type === REQUEST) setTimeout(() => answer(message), 0);
    },
  };
  window._richApiNativeBridge = bridge;

  function answer({ id, message }) {
    const body = typeof message.body === "string" ? JSON.parse(message.body) : message.body;
    const results = body.Actions.map((action) => {
      if (SET_RESULTS.test(action.Name)) action.ArgumentInfo.Arguments[0].forEach(settle);
      const read = action.ActionType === QUERY ? properties(action, body.ObjectPaths) : null;
      return { ActionId: action.Id, Value: read };
    });
    const reply = { statusCode: 200, headers: {}, body: JSON.stringify({ Results: results }) };
    bridge.onMessageFromHost(JSON.stringify({ id, type: RESPONSE, message: reply }));
  }

  function properties({ QueryInfo, ObjectPathId }, paths) {
    const ofCulture = /culture/i.test(path(ObjectPathId, paths));
    const found = {};
    for (const property of QueryInfo?.Select ?? []) {
      const name = property[0].toUpperCase() + property.slice(1);
      found[name] = workbook[ofCulture && name === "Name" ? "CultureName" : name] ?? null;
    }
    return found;
  }

  function path(id, paths) {
    const { ParentObjectPathId: parent, Name } = paths[id];
    return parent ? `${path(parent, paths)}.${Name}` : (Name ?? "");
  }

  function settle(result) {
    const [id, ok, value, code] = Array.isArray(result)
      ? result
      : [result.id, !result.failed, result.value, result.errorCode];
    waiting.get(id)?.(ok ? { value } : { error: code, message: value });
    waiting.delete(id);
  }

  window.excelCall = (functionName, parameterValues) =>
    new Promise((resolve) => {
      const invocationId = ++latest;
      waiting.set(invocationId, resolve);
      const invocation = {
        invocationId,
        functionName,
        parameterValues,
        address: "Sheet1!B2",
        flags: 0,
        parameterAddresses: null,
      };
      const entry = { ...CUSTOM_FUNCTION, targetId: "", message: invocation };
      bridge.onMessageFromHost(JSON.stringify({ type: EVENT, message: { entries: [entry] } }));
    });
})();

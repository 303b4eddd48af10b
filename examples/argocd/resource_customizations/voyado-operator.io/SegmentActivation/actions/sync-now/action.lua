-- Any token that was not handled before asks for a run; the operator echoes it in status.lastHandledReconcileAt.
local os = require("os")

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["voyado-operator.io/requestedAt"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj

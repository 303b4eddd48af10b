-- The conditions are read as kstatus, Flux and `kubectl wait` read them, so that all of them say the same:
--   suspended -> Suspended
--   a change that the operator has not worked through, or a retry that it makes by itself -> Progressing
--   a person must act, e.g. on an API key that Engage refuses -> Degraded
--   Engage answers -> Healthy
--
-- A retry is Progressing for as long as it lasts: only its end changes the conditions, so it does not flap, and an
-- Engage that is away for an hour fails no sync.

local function health(status, message)
  return { status = status, message = message }
end

local found = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    found[condition.type] = condition
  end
end
local ready, reconciling = found["Ready"], found["Reconciling"]

if obj.spec.suspend == true then
  return health("Suspended", "suspended by spec.suspend")
end
if ready == nil then
  return health("Progressing", "the operator has not looked at it yet")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not looked at the latest change yet")
end
if ready.reason == "Suspended" then
  return health("Suspended", ready.message)
end
if reconciling ~= nil and reconciling.status == "True" then
  return health("Progressing", ready.message)
end
if ready.status == "False" then -- and nobody retries: Stalled
  return health("Degraded", ready.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
return health("Progressing", ready.message)

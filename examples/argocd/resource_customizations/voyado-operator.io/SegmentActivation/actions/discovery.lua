local suspended = obj.spec.suspend == true

-- An approval that was handled once never releases another plan, so it is not offered twice.
local plan = obj.status ~= nil and obj.status.plan or nil
local waits = plan ~= nil and plan.digest ~= obj.status.lastHandledApproval

return {
  ["sync-now"] = { disabled = suspended, displayName = "Sync now", iconClass = "fa fa-fw fa-sync" },
  ["approve"] = { disabled = not waits, displayName = "Approve the waiting plan", iconClass = "fa fa-fw fa-check" },
  ["suspend"] = { disabled = suspended, displayName = "Suspend", iconClass = "fa fa-fw fa-pause" },
  ["resume"] = { disabled = not suspended, displayName = "Resume", iconClass = "fa fa-fw fa-play" },
}

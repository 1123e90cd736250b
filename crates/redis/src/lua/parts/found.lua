-- A session, live or over, or nothing: with a head that is empty if there is none.
local function found_at(key)
  local head = head_of(key)
  if not head then return {head = '', live = false, owner = '', expires_at = ''} end
  local at = start(head)
  local expires_at = sub(head, at, at + 19)
  return {
    head = head,
    at = at,
    live = expires_at > now,
    owner = owner_in(head, at, key),
    expires_at = expires_at,
    -- Cluster: until when its entry in the index is kept, and the second half of the entry's name.
    bound = sub(head, 25, math.min(44, at - 1)),
    entry = sub(head, 45, at - 1),
  }
end

-- The same, but nothing if that key holds something else.
local function session_at(key)
  local fine, found = pcall(found_at, key)
  if fine then return found end
  return {head = '', live = false, owner = '', expires_at = '', entry = ''}
end

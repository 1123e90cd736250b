-- A session, live or over, or nothing: with a head that is empty if there is none.
local function found_at(key)
  local head = head_of(key)
  if not head then return {head = '', live = false, owner = ''} end
  local note = 173 + sub(head, 3, 4)
  return {
    head = head,
    live = expiry(head) > now,
    owner = owner_in(head, key),
    -- Cluster: until when its entry in the index is kept, and the second half of the entry's name.
    bound = sub(head, 174, math.min(193, note)),
    entry = sub(head, 194, note),
  }
end

-- The same, but nothing if that key holds something else.
local function session_at(key)
  local fine, found = pcall(found_at, key)
  if fine then return found end
  return {head = '', live = false, owner = '', entry = ''}
end

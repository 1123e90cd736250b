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

-- Cluster: whether this is the first use of a session in its hundred seconds. Then the index is asked whether it has
-- the session's entry still: the primary of its slot may have lost it.
local function is_time_to_look(head, last_seen_at)
  return sub(head, 48, 62) ~= sub(last_seen_at, 1, 15)
end

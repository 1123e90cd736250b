-- What stands before the data of a session: see `head.rs`. Times are texts of twenty digits, in the order of the
-- times; the last of them is never.
local sub = string.sub
local NEVER = '99999999999999999999'

-- The head of a session; false if there is none. With few exceptions one that is not there and one that is over are
-- treated alike, so see `expiry`.
local function head_of(key)
  local head = redis.call('GETRANGE', key, '0', '255')
  if head == '' then return false end
  if sub(head, 1, 2) ~= 'c1' or #head < 173 then
    error(redis.error_reply('WRONGTYPE this is no session'))
  end
  return head
end

-- Where in a head the part begins that the application wrote. On a cluster there is a note before it.
local function start(head)
  return 25 + sub(head, 23, 24)
end

-- When a session is over: before all times if there is none.
local function expiry(head)
  if not head then return '' end
  local at = start(head)
  return sub(head, at, at + 19)
end

-- Whose a session is, by the part that the application wrote, which begins there; or empty. All of it may have to be
-- read first.
local function owner_in(text, at, key)
  local length = tonumber(sub(text, at + 141, at + 143))
  if length == 0 then return '' end
  local last = at + 148 + length
  if last > #text then text = redis.call('GETRANGE', key, '0', last) end
  return sub(text, at + 149, last)
end

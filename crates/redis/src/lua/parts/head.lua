-- What stands before the data of a session: see `head.rs`. Times are texts of twenty digits, in the order of the times.
local sub = string.sub

-- The head of a session; false if there is none.
local function head_of(key)
  local head = redis.call('GETRANGE', key, '0', '255')
  if head == '' then return false end
  if #head < 173 or not string.find(head, '^c1%d%d%d%d%d') then
    error(redis.error_reply('WRONGTYPE this is no session'))
  end
  return head
end

-- When a session is over: before all times if there is none.
local function expiry(head)
  return head and sub(head, 28, 47) or ''
end

-- Whose a session is, or empty. All of it may have to be read first.
local function owner_in(head, key)
  local length = tonumber(sub(head, 5, 7))
  if length == 0 then return '' end
  local first = 174 + sub(head, 3, 4)
  local last = first + length - 1
  if last > #head then head = redis.call('GETRANGE', key, '0', last) end
  return sub(head, first, last)
end

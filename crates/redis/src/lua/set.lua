-- Writes a whole session if the expectation holds, one server. Nothing stands before it that it does not need
-- itself: each function that a script defines is made anew at every call.
--
-- KEYS[1]  the session
-- ARGV[1]  the time now, by the application's clock
-- ARGV[2]  'absent', 'present' or a version, twenty digits
-- ARGV[3]  for how long Redis keeps it, in milliseconds; empty for ever
-- ARGV[4]  the session from its times on
--
-- Answers the version; 'exists'; 'gone'; 'conflict' with the version.
local key, now, expect, rest = KEYS[1], ARGV[1], ARGV[2], ARGV[4]
local head = head_of(key)
local live = expiry(head) > now
if expect == 'absent' then
  if live then return 'exists' end
elseif not live then
  return 'gone'
elseif expect ~= 'present' and expect ~= sub(head, 3, 22) then
  return {'conflict', sub(head, 3, 22)}
end

local owner = owner_in(rest, 1)
local former = head and owner_in(head, start(head), key) or ''
local version = 1
if live then version = tonumber(sub(head, 3, 22)) + 1 end
local session = string.format('c1%020.0f00', version) .. rest
if ARGV[3] == '' then
  redis.call('SET', key, session)
else
  redis.call('SET', key, session, 'PX', ARGV[3])
end

if owner == '' and former == '' then return version end
local member, index_prefix = sub(key, -65, -2), sub(key, 1, -69) .. 'o:'
if owner == former and live and expiry(head) == sub(rest, 1, 20) then
  -- The index names it until then already. That will do, unless the index would go much earlier: the application's
  -- clock was set back.
  local left = redis.call('PTTL', index_prefix .. owner)
  if left == -1 or (left >= 0 and ARGV[3] ~= '' and left + 60000 >= tonumber(ARGV[3])) then return version end
end
-- Otherwise `set_index` goes on.

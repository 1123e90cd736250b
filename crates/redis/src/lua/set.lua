-- Writes a whole session if the expectation holds, one server. Few calls and few pieces of text: each costs more than
-- what is done with it, and a text costs by the byte when it becomes one of a script's. For the same reason nothing
-- stands before this: the functions that a script defines are made anew each time.
--
-- KEYS[1]  the session
-- ARGV[1]  the time now, by the application's clock
-- ARGV[2]  'absent', 'present' or a version, twenty digits
-- ARGV[3]  for how long Redis keeps it, in milliseconds; empty for ever
-- ARGV[4]  the session, with the version that it is going to have; with none if 'present' was expected
-- ARGV[5]  the owner; left out if there is none
--
-- Answers the version if 'present' was expected, otherwise 0; 'exists'; 'gone'; 'conflict' with the version.
local sub, call = string.sub, redis.call
local key, now, expect, time_to_live, session, owner = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] or ''

-- Up to its expiry; with an owner up to the end of most owners, or of the longest. Texts, because a call first
-- makes one of each number.
local head = call('GETRANGE', key, '0', owner == '' and '46' or #owner <= 40 and '212' or '427')
local former, expiry, live = '', '', false
if head ~= '' then
  local kind = sub(head, 1, 7)
  expiry = sub(head, 28, 47)
  live = expiry > now
  if kind ~= 'c100000' then
    -- An owner as long as the one that it is going to have, who is mostly the same; otherwise it is looked at closely.
    if kind == sub(session, 1, 7) and #head > 172 then
      former = sub(head, 174, 173 + #owner)
    else
      if not string.find(kind, '^c1%d%d%d%d%d$') or #head < 47 then
        error(redis.error_reply('WRONGTYPE this is no session'))
      end
      local before = 173 + sub(head, 3, 4)
      local last = before + sub(head, 5, 7)
      if last > #head then head = call('GETRANGE', key, '0', last - 1) end
      former = sub(head, before + 1, last)
    end
  end
end

if expect == 'absent' then
  if live then return 'exists' end
elseif not live then
  return 'gone'
elseif expect ~= 'present' and expect ~= sub(head, 8, 27) then
  return {'conflict', sub(head, 8, 27)}
end

local version = expect == 'present' and sub(head, 8, 27) + 1 or 0
if time_to_live == '' then
  call('SET', key, session)
else
  call('SET', key, session, 'PX', time_to_live)
end
if version > 0 then call('SETRANGE', key, '7', string.format('%020.0f', version)) end

if owner == '' and former == '' then return version end
local expires_at = sub(session, 28, 47)
-- The digits of a time are its number, but not before 1970, nor those of never.
if owner == former and live and (expiry == expires_at or sub(expires_at, 1, 1) == '1') then
  local index = sub(key, 1, -69) .. 'o:' .. owner
  local left = call('PTTL', index)
  if left ~= -2 then
    if expiry ~= expires_at then call('ZADD', index, sub(expires_at, 2), sub(key, -65, -2)) end
    -- It has to stay as long as the session's key. A second less is none: both stay long after the session is over.
    if left >= 0 and time_to_live == '' then
      call('PERSIST', index)
    elseif left >= 0 and left + 1000 < tonumber(time_to_live) then
      call('PEXPIRE', index, time_to_live)
    end
    return version
  end
end
local member, index_prefix = sub(key, -65, -2), sub(key, 1, -69) .. 'o:'
-- Otherwise `set_index` goes on.

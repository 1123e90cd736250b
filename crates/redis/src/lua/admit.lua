-- Begins a session, which may end another one and has room to be made for it, one server.
--
-- KEYS[1]  the session that begins
-- KEYS[2]  the session that ends with it, live or not; may be left out
-- ARGV[4]  the first as the index names it
-- ARGV[5]  the second, or empty
-- ARGV[6]  how many live sessions the owner may have, or empty for any number
-- ARGV[7]  'oldest': the oldest end to make room. 'refuse': none does
-- ARGV[8]  for how long Redis keeps the first, in milliseconds; empty for ever
-- ARGV[9]  the first, with its version
--
-- Answers 'stored', the version, and the sessions that ended to make room; 'exists'; 'refused'. Nothing was
-- changed unless it is the first.
local to, from, member, ending = KEYS[1], KEYS[2], ARGV[4], ARGV[5]
local most, session = tonumber(ARGV[6]), ARGV[9]
local owner = owner_in(session)

local taken = found_at(to)
if taken.live then return {'exists'} end

local function older(a, b)
  if a.created_at == b.created_at then return a.member < b.member end
  return a.created_at < b.created_at
end

-- The owner's live sessions, but for the two. Others than those of the index there are none.
local function others(index)
  local live = {}
  for _, name in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if name ~= member and name ~= ending then
      local found = session_at(session_key(name))
      if found.owner ~= owner then
        redis.call('ZREM', index, name)
      elseif found.live then
        local created_at = sub(found.head, 68, 87)
        live[#live + 1] = {member = name, created_at = created_at}
      end
    end
  end
  return live
end

local answer = {'stored', '1'}
if owner ~= '' and most then
  local index = index_prefix .. owner
  local entries = redis.call('ZCARD', index)
  if from and redis.call('ZSCORE', index, ending) then entries = entries - 1 end
  -- With fewer entries than that there is room, whatever they are.
  if entries >= most then
    local live = others(index)
    local too_many = #live + 1 - most
    if too_many > 0 and ARGV[7] == 'refuse' then return {'refused'} end
    if too_many > 0 then table.sort(live, older) end
    for at = 1, too_many do
      local name = live[at].member
      redis.call('DEL', session_key(name))
      redis.call('ZREM', index, name)
      announce(name)
      answer[#answer + 1] = name
    end
  end
end

if from then
  local ended = session_at(from)
  redis.call('DEL', from)
  unlist(ended.owner, ending)
  if ended.live then announce(ending) end
end

unlist(taken.owner, member)
if ARGV[8] == '' then
  redis.call('SET', to, session)
else
  redis.call('SET', to, session, 'PX', ARGV[8])
end
list(owner, member, expiry(session))
return answer

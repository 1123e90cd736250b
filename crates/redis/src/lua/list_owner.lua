-- The live sessions of one owner, one server. What is dead leaves the index.
--
-- KEYS[1]  the index
-- ARGV[4]  the owner
--
-- Answers pairs: the session as the index names it, and what it is.
local answer = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = session_key(member)
  local found = session_at(key)
  if found.owner == ARGV[4] and found.live then
    answer[#answer + 1] = {member, redis.call('GET', key)}
  elseif found.owner ~= ARGV[4] then
    -- Expired ones are left to purging: a clock that is set back may show them again.
    redis.call('ZREM', KEYS[1], member)
  end
end
return answer

-- The live sessions of one owner, one server. What is dead leaves the index.
--
-- KEYS[1]  the index
-- ARGV[4]  the owner
--
-- Answers pairs: the session as the index names it, and its fields.
local answer = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = session_key(member)
  local found = fields(key, 'version', 'expires_at', 'owner')
  if found[3] == ARGV[4] and is_live(found[1], found[2]) then
    answer[#answer + 1] = {member, redis.call('HGETALL', key)}
  elseif found[3] ~= ARGV[4] then
    -- Expired ones are left to purging: a clock that is set back may show them again.
    redis.call('ZREM', KEYS[1], member)
  end
end
return answer

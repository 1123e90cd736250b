-- Cluster: makes the index entry of a session that begins, if its owner may have one more.
--
-- KEYS[1]  the index
-- ARGV[4]  the entry
-- ARGV[5]  the latest time that the session can expire
-- ARGV[6]  how many sessions the owner may have
-- ARGV[7]  a session that is going to end with it and does not count; or empty
-- ARGV[8]  how many of the following entries are dead for ever
-- ARGV[9] and on: those, and then entries of which enough are going to end, if there are no others than these
--
-- Answers 'entered' and how many others there are that count; or 'full' and the entries that count.
local index, entry = KEYS[1], ARGV[4]
local dead = tonumber(ARGV[8])
local known = {}
for at = 9, #ARGV do
  if at < 9 + dead then redis.call('ZREM', index, ARGV[at]) else known[ARGV[at]] = true end
end

local answer, unknown = {'full'}, false
for _, other in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if other ~= entry and string.match(other, '^[^:]*') ~= ARGV[7] then
    answer[#answer + 1] = other
    unknown = unknown or not known[other]
  end
end
if #answer - 1 >= tonumber(ARGV[6]) and unknown then return answer end
put(index, entry, ARGV[5])
return {'entered', tostring(#answer - 1)}

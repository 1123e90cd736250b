-- Ends one session and begins another, one server.
--
-- KEYS[1]  the session that ends, live or not
-- KEYS[2]  the session that begins
-- ARGV[3]  the first as the index names it
-- ARGV[4]  the second
-- ARGV[5]  the owner of the second, or empty
-- ARGV[6]  when it expires, or empty
-- ARGV[7] and on: names and values of its fields
--
-- Answers 'stored' or 'exists'.
local from, to = KEYS[1], KEYS[2]
local ended = fields(from, 'owner')
redis.call('DEL', from)
unlist(ended[1], ARGV[3])

local found = redis.call('HMGET', to, 'version', 'expires_at', 'owner')
if is_live(found[1], found[2]) then return {'exists'} end
unlist(found[3], ARGV[4])
if found[1] then redis.call('DEL', to) end
local owner, expires_at = filled(ARGV[5]), filled(ARGV[6])
redis.call('HSET', to, 'version', '1', unpack(ARGV, 7))
keep_until(to, expires_at)
list(owner, ARGV[4], expires_at)
return {'stored', '1'}

-- Ends a session, live or not, decodable or not.
--
-- KEYS[1]  the session
-- ARGV[3]  the session as the index names it
--
-- Answers whether it was live, its owner and its index entry.
local found = fields(KEYS[1], 'version', 'expires_at', 'owner', 'entry')
redis.call('DEL', KEYS[1])
unlist(found[3], ARGV[3])
return {is_live(found[1], found[2]) and '1' or '0', found[3] or '', found[4] or ''}

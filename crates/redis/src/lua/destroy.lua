-- Ends a session, live or not, decodable or not.
--
-- KEYS[1]  the session
-- KEYS[2]  cluster: the pass of a session that is moving there
-- ARGV[4]  the session as the index names it
--
-- Answers whether it was live, its owner and its index entry.
local found = fields(KEYS[1], 'version', 'expires_at', 'owner', 'entry')
redis.call('DEL', unpack(KEYS))
unlist(found[3], ARGV[4])
local live = is_live(found[1], found[2])
if live then announce(ARGV[4]) end
return {live and '1' or '0', found[3] or '', found[4] or ''}

-- Cluster, while a slot is being moved: the half of `bury` that concerns the tombstone.
--
-- KEYS[1]  the tombstone of the entry
-- ARGV     as for `bury`
mark(KEYS[1], ARGV[6])
return redis.status_reply('OK')

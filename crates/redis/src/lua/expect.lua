-- Cluster, before a session moves to another key: whether that is free. If so, leaves a pass there, without which
-- nothing lands: whoever destroys what is on its way takes the pass away.
--
-- KEYS[1]  the key
-- KEYS[2]  the passes
-- ARGV[4]  the pass of this attempt
-- ARGV[5]  how long it holds, in milliseconds
--
-- Answers '1' if a session is live there, or '0'.
if expiry(head_of(KEYS[1])) > now then return {'1'} end
-- One beside the others: several may be about to move the same session to the same key, and none of them may take away
-- or bring back what another one needs.
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {'0'}

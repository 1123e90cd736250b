-- Writes a whole session if the expectation holds, cluster.
--
-- KEYS[1]  the session
-- KEYS[2]  with an index entry: the tombstone of that entry
-- KEYS[last]  the second half of a rotation: the passes
-- ARGV[4]  'absent', 'present' or a version, twenty digits
-- ARGV[5]  the index entry made for this write; empty if none was
-- ARGV[6]  the latest time that it can expire without being written again
-- ARGV[7]  the second half of a rotation: what the pass says; otherwise empty
-- ARGV[8]  for how long Redis keeps it, in milliseconds; empty for ever
-- ARGV[9]  the session from the length of its owner to its note, with the version that it is going to have; with
--          none if 'present' was expected
-- ARGV[10] the session from its note on
--
-- Answers 'stored' with the version, with the owner and the entry that it had until now and has no more, and now and
-- then with the entry that it still has and until when that lasts, to be looked for; 'exists'; 'gone'; 'conflict'
-- with the version; 'index' if an entry has to be made first; 'buried' with the reason.
local key, tombstone = KEYS[1], KEYS[2]
local expect, entry, bound, start = ARGV[4], ARGV[5], ARGV[6], ARGV[9]

local found = found_at(key)
local former = sub(found.head, 8, 27)
if expect == 'absent' then
  if found.live then return {'exists'} end
elseif not found.live then
  return {'gone'}
elseif expect ~= 'present' and expect ~= former then
  return {'conflict', former}
end

local pass = filled(ARGV[7])
-- Somebody who knew where the session was going ended it.
if pass and redis.call('SISMEMBER', KEYS[#KEYS], pass) == 0 then return {'buried', 'ended'} end

local owner, old_entry = sub(ARGV[10], 1, tonumber(sub(start, 1, 3))), filled(found.entry)
local unsure = false
if owner ~= '' then
  if entry ~= '' then
    local reason = redis.call('GET', tombstone)
    if reason then return {'buried', reason} end
  elseif found.live and found.owner == owner and old_entry and bound <= found.bound then
    -- The entry that is there will do.
    entry, bound, old_entry = old_entry, found.bound, false
    unsure = is_time_to_look(found.head, sub(start, 44, 63))
  else
    return {'index'}
  end
end

local version = expect == 'present' and string.format('%020.0f', former + 1) or sub(start, 4, 23)
local note = entry ~= '' and bound .. entry or ''
local session = string.format('c1%02d', #note) .. start .. note .. ARGV[10]
if ARGV[8] == '' then
  redis.call('SET', key, session)
else
  redis.call('SET', key, session, 'PX', ARGV[8])
end
if expect == 'present' then redis.call('SETRANGE', key, '7', version) end
if pass then redis.call('DEL', KEYS[#KEYS]) end
if unsure then return {'stored', version, '', '', entry, bound} end
return {'stored', version, old_entry and found.owner or '', old_entry or ''}

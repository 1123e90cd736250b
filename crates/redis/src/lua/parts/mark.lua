-- Leaves a tombstone, on which the write of a session stumbles that is on its way. What ended stays ended.
local function mark(tombstone, how)
  if how == 'ended' then
    redis.call('SET', tombstone, 'ended', 'PX', TOMBSTONE)
  else
    redis.call('SET', tombstone, 'tidied', 'PX', TOMBSTONE, 'NX')
  end
end

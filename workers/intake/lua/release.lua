--[[ Give up a lease, only if it is still ours.

  KEYS[1]  intake-lease:{<channel>/<shop>}   string: the holder's token, expires
  ARGV[1]  token
  Returns  1 when it was given up, 0 when it was no longer ours ]]
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0

--[[ Take a shop's lease if nobody holds it, and a fencing number greater than any handed out before.

  KEYS[1]  intake-lease:{<channel>/<shop>}   string: the holder's token, expires
  KEYS[2]  intake-fence:{<channel>/<shop>}   integer: the greatest fencing number handed out, never expires
  ARGV[1]  token   ARGV[2] time to live, ms
  Returns  the fencing number, or 0 when somebody else holds the lease ]]
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return redis.call('INCR', KEYS[2])
end
return 0

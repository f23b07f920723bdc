--[[ Have orders read again soon because a push says that something happened to them, known or not.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: see assign.lua
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  KEYS[3]  intake-hint:{<channel>/<shop>}       string: asks for an early poll
  ARGV[1]  now, unix ms   ARGV[2..] ids
  Returns  how many there are ]]
for place = 2, #ARGV do
  local id, now = ARGV[place], ARGV[1]
  local mark = redis.call('HINCRBY', KEYS[1], '#marks', 1)
  local known = redis.call('HGET', KEYS[1], id)
  if known then
    local stamp, edition, flag, _, _, digest = string.match(known, '^(%d+) (%d+) (%a) (%d+) (%d+) (.*)$')
    if flag == 'Z' then flag = 'C' end
    redis.call('HSET', KEYS[1], id, string.format('%s %s %s %s %d %s', stamp, edition, flag, now, mark, digest))
  else
    redis.call('HSET', KEYS[1], id, string.format('0 0 P %s %d ?', now, mark))
  end
  redis.call('ZADD', KEYS[2], now, id)
end
redis.call('SET', KEYS[3], '1', 'EX', 3600)
return #ARGV - 1

--[[ Remember the states that a push brought, after Kafka has them.

  A push comes late, twice and out of order, so it makes no edition: one that says something else about a known stamp,
  or something older, has its order read again soon. The reading tells what is true, and is published in any case.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: see assign.lua
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  KEYS[3]  intake-hint:{<channel>/<shop>}       string: asks for an early poll
  ARGV[1]  now, unix ms   ARGV[2..] id, stamp, digest, flag (C or Z), time of the next reading of each, unix ms
  Returns  how many are to be read again soon ]]
local open, due = KEYS[1], KEYS[2]
local now, soon = ARGV[1], 0
for place = 2, #ARGV, 5 do
  local id, stamp, digest, flag = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  local known = redis.call('HGET', open, id)
  local its_stamp, its_edition, its_flag, since, its_mark, its_digest
  if known then
    its_stamp, its_edition, its_flag, since, its_mark, its_digest =
      string.match(known, '^(%d+) (%d+) (%a) (%d+) (%d+) (.*)$')
  end
  if not known or tonumber(stamp) > tonumber(its_stamp) then
    redis.call('HSET', open, id, string.format('%s 0 %s %s 0 %s', stamp, flag, now, digest))
    redis.call('ZADD', due, ARGV[place + 4], id)
  elseif stamp ~= its_stamp or digest ~= its_digest then
    local mark = redis.call('HINCRBY', open, '#marks', 1)
    local told = stamp == its_stamp and '?' or its_digest
    local pending = stamp == its_stamp and 'P' or (its_flag == 'Z' and 'C' or its_flag)
    redis.call('HSET', open, id, string.format('%s %s %s %s %d %s', its_stamp, its_edition, pending, now, mark, told))
    redis.call('ZADD', due, now, id)
    soon = soon + 1
  end
end
if soon > 0 then
  redis.call('SET', KEYS[3], '1', 'EX', 3600)
end
return soon

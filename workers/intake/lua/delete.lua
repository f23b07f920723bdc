--[[ Say as of which edition an order that a push calls deleted ends, and remember that as pending.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: see assign.lua
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  ARGV[1]  now, unix ms   ARGV[2] id   ARGV[3] the digest that stands for a deleted order
  Returns  stamp and edition; stamp 0 for an order that is not known ]]
local now, id, gone = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HGET', KEYS[1], id) or ('0 0 P ' .. now .. ' 0 ?')
local stamp, edition, _, _, _, digest = string.match(known, '^(%d+) (%d+) (%a) (%d+) (%d+) (.*)$')
if digest ~= gone then
  edition = math.min(tonumber(edition) + 1, 999)
  local mark = redis.call('HINCRBY', KEYS[1], '#marks', 1)
  redis.call('HSET', KEYS[1], id, string.format('%s %d P %s %d %s', stamp, edition, now, mark, gone))
  redis.call('ZADD', KEYS[2], now, id)
end
return {tonumber(stamp), tonumber(edition)}

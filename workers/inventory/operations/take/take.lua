--[[ Take an order that waits for stock in hand, so that nobody else lets it through meanwhile; or keep it in hand.

  KEYS[1]   waiting:{waiting}           hash: order uid -> entry, JSON: revision, wants ("<warehouse>/<sku>" ...), and more
  KEYS[2]   waiting-in-hand:{waiting}   sorted set: order uid by until when nobody else may let it through, ms
  ARGV[1]   order uid
  ARGV[2]   revision seen
  ARGV[3]   for how long, ms
  ARGV[4]   take | keep; keep also when it is in hand already
  Returns   { outcome }
    TAKEN      it is the caller's for that long
    IN_HAND    somebody has it
    CHANGED    it is off the list, or waits with another revision ]]
-- @include workers.inventory.operations.shared:waiting.lua
local entry = read_entry(ARGV[1])
if not entry or entry.revision ~= ARGV[2] then
  return { 'CHANGED' }
end
local until_when = redis.call('ZSCORE', KEYS[2], ARGV[1])
if ARGV[4] == 'take' and until_when and tonumber(until_when) > tonumber(from_now(0)) then
  return { 'IN_HAND' }
end
redis.call('ZADD', KEYS[2], from_now(ARGV[3]), ARGV[1])
return { 'TAKEN' }

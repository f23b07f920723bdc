--[[ Give back holds in one warehouse whose payment deadline has passed, each if it is still the hold that was seen.

  KEYS[1]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[2]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[3]   sequence:{<warehouse>}                  number of the last event
  KEYS[4..] reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[..]  stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  ARGV[1]   now, ms since 1970
  ARGV[2]   how long the tombstones are kept, ms
  ARGV[3]   how many reservations there are
  ARGV[4..] per reservation two values: revision seen, fence seen
  Returns   { outcome, ... }   one per reservation; where a key is not ours nothing at all is changed
    EXPIRED    it is done
    CHANGED    the order has moved on since it was seen: look again
    GONE       no hold is left; its deadline is taken off the list
    NOT_DUE    the deadline lies ahead; the list says so again ]]
-- @include workers.inventory.operations.shared:stock.lua
local now, remember, count = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local order_from = #KEYS[1] - #'deadlines:' + #'reservation:' + 2
local sku_from = #KEYS[1] - #'deadlines:' + #'stock:' + 2
local stock, outcomes, found, units = {}, {}, {}, {}
for i = 4 + count, #KEYS do
  stock[string.sub(KEYS[i], sku_from)] = KEYS[i]
end

local function outcome_of(hold, key, revision, fence)
  if hold.state ~= 'held' or hold.deadline == '0' then
    return 'GONE'
  end
  if hold.revision ~= revision or hold.fence ~= tonumber(fence) then
    return 'CHANGED'
  end
  if whole(hold.deadline, key, 'deadline') > now then
    return 'NOT_DUE'
  end
  for sku in pairs(hold.units) do
    if not stock[sku] then
      return 'CHANGED'
    end
  end
  return 'EXPIRED'
end

for i = 1, count do
  local key = KEYS[3 + i]
  found[i] = read_reservation(key)
  outcomes[i] = outcome_of(found[i], key, ARGV[2 * i + 2], ARGV[2 * i + 3])
  if outcomes[i] == 'EXPIRED' then
    for sku, had in pairs(found[i].units) do
      units[sku] = (units[sku] or 0) + had
    end
  end
end
for sku, had in pairs(units) do
  if read_counters(stock[sku])[2] < had then
    corrupt(stock[sku], 'held is less than one of its reservations')
  end
end
check_ledger(KEYS[1], KEYS[2], KEYS[3], '')

for sku, had in pairs(units) do
  redis.call('HINCRBY', stock[sku], 'held', -had)
end
for i = 1, count do
  local hold, key = found[i], KEYS[3 + i]
  local order = string.sub(key, order_from)
  if outcomes[i] == 'NOT_DUE' then
    redis.call('ZADD', KEYS[1], hold.deadline, order)
  elseif outcomes[i] == 'GONE' then
    redis.call('ZREM', KEYS[1], order)
  elseif outcomes[i] == 'EXPIRED' then
    local moves = {}
    for sku, had in pairs(hold.units) do
      moves[#moves + 1] = { stock[sku], sku, 'held', -had }
    end
    redis.call('HSET', key, 'state', 'expired', 'deadline', '0')
    redis.call('PEXPIRE', key, remember)
    redis.call('ZREM', KEYS[1], order)
    local told = { 'order', order, 'revision', hold.revision, 'fence', string.format('%.0f', hold.fence),
      'state', 'expired', 'deadline', '0', 'lines', hold.lines }
    if hold.shipped_lines then
      told[#told + 1], told[#told + 2] = 'shipped', hold.shipped_lines
    end
    publish(KEYS[2], KEYS[3], 'expired', moves, unpack(told))
  end
end
return outcomes

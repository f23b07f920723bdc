--[[ One step of moving units between warehouses, in one of the two. Each step happens once per transfer.

  KEYS[1]   transfer:{<warehouse>}:<transfer id>   hash: state, lines
  KEYS[2]   outbox:{<warehouse>}                   stream of inventory events
  KEYS[3]   sequence:{<warehouse>}                 number of the last event
  KEYS[4..] stock:{<warehouse>}:<sku>              hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  KEYS[..]  moved:{<warehouse>}:<sku>              sorted set: what moved on-hand units, by time; as many, in their order
  ARGV[1]   reserve | send | cancel | receive; the first three in the warehouse that gives, receive in the one that gets
  ARGV[2]   when it happened, ms since 1970
  ARGV[3]   how long an ended transfer is remembered, ms
  ARGV[4]   how long movements are kept for counts that come late, ms
  ARGV[5..] units, one per stock key; send and cancel end all that was reserved, and no more than that is sent
  Returns   { outcome, ... }
    DONE            it is done
    ALREADY         this step was done before
    INSUFFICIENT    with reserve: units that could be had, one per stock key; nothing was changed
    REFUSED         state: the step does not follow from the state that the transfer is in here, or names other SKUs or
                    more units than were reserved ]]
-- @include workers.inventory.operations.shared:stock.lua
-- @include workers.inventory.operations.shared:physical.lua
local AFTER = { reserve = 'reserved', send = 'sent', cancel = 'cancelled', receive = 'received' }
local BEFORE = { reserve = '', send = 'reserved', cancel = 'reserved', receive = '' }
local action, at, count = ARGV[1], tonumber(ARGV[2]), (#KEYS - 3) / 2
local state = read('HGET', KEYS[1], 'state') or ''
if state == AFTER[action] then
  return { 'ALREADY' }
end
if state ~= BEFORE[action] then
  return { 'REFUSED', state }
end

local reserved, skus = {}, 0
if action == 'send' or action == 'cancel' then
  reserved, skus = read_lines(read('HGET', KEYS[1], 'lines') or '', KEYS[1], 'lines')
  if skus ~= count then
    return { 'REFUSED', state }
  end
end
local from = #KEYS[2] - #'outbox:' + #'stock:' + 2
local moves, physical, available, lines, enough = {}, {}, {}, {}, true
for i = 1, count do
  local key = KEYS[i + 3]
  local sku, counters, units = string.sub(key, from), read_counters(key), whole(ARGV[i + 4], key, 'the quantity')
  if units <= 0 then
    corrupt(key, 'the quantity of a transfer is not above zero')
  end
  if skus > 0 and units > (reserved[sku] or 0) then
    return { 'REFUSED', state }
  end
  lines[2 * i - 1], lines[2 * i] = sku, units
  available[i] = math.max(0, available_to_promise(counters))
  enough = enough and (action ~= 'reserve' or units <= available[i])
  local move = { key, sku }
  if action ~= 'receive' then
    move[3], move[4] = 'transfer', action == 'reserve' and units or -reserved[sku]
  end
  physical[i] = 0
  if action == 'send' or action == 'receive' then
    physical[i] = unless_counted(counters, at, action == 'send' and -units or units)
  end
  if physical[i] ~= 0 then
    move[#move + 1] = 'on_hand'
    move[#move + 1] = physical[i]
  end
  if #move > 2 then
    moves[#moves + 1] = move
  end
end
if not enough then
  return { 'INSUFFICIENT', unpack(available) }
end
check_ledger(nil, KEYS[2], KEYS[3])
check_moved(4 + count)

write_moves(moves)
local id = string.sub(KEYS[1], #KEYS[2] - #'outbox:' + #'transfer:' + 2)
for i = 1, count do
  write_moved(KEYS[3 + count + i], at, physical[i], id .. '/' .. action, tonumber(ARGV[4]))
end
lines = cjson.encode(lines)
redis.call('HSET', KEYS[1], 'state', AFTER[action], 'lines', lines)
if action == 'reserve' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
publish(KEYS[2], KEYS[3], 'transfer-' .. AFTER[action], moves, 'transfer', id, 'state', AFTER[action], 'lines', lines,
  'moved_at', string.format('%.0f', at))
return { 'DONE' }

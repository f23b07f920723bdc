--[[ Set on-hand units and safety stock of SKUs in one warehouse from a count.

  KEYS[1]   outbox:{<warehouse>}        stream of inventory events
  KEYS[2]   sequence:{<warehouse>}      number of the last event
  KEYS[3..] stock:{<warehouse>}:<sku>   hash: on_hand, held, committed, allocated, transfer, safety
  ARGV      per KEYS[3..] two values: on-hand units, safety stock; "" leaves one as it is
  Returns   { outcome, ... }
    COUNTED      available to promise, one per KEYS[3..]; below zero when more is promised than is there
    UNCHANGED    the same; nothing had to be changed ]]
-- @include stock.lua
local from = #KEYS[1] - #'outbox:' + #'stock:' + 2
local moves, available = {}, {}
for i = 3, #KEYS do
  local counters, move = read_counters(KEYS[i]), { KEYS[i], string.sub(KEYS[i], from) }
  for counter, given in pairs({ [1] = ARGV[2 * i - 5], [6] = ARGV[2 * i - 4] }) do
    if given ~= '' then
      local delta = whole(given, KEYS[i], 'the count') - counters[counter]
      if delta ~= 0 then
        move[#move + 1] = COUNTERS[counter]
        move[#move + 1] = delta
        counters[counter] = counters[counter] + delta
      end
    end
  end
  available[i - 2] = available_to_promise(counters)
  if #move > 2 then
    moves[#moves + 1] = move
  end
end
if #moves == 0 then
  return { 'UNCHANGED', unpack(available) }
end
check_ledger(nil, KEYS[1], KEYS[2])

write_moves(moves)
publish(KEYS[1], KEYS[2], 'counted', moves)
return { 'COUNTED', unpack(available) }

--[[ The WMS did not find units of an order, or found them damaged: they are off its reservation, once per message. If
  the order had been given up, and only an answer was waited for, all the others are given back.

  What is broken or gone is so whatever became of the order meanwhile: where the reservation must not be touched, on-hand
  is less all the same, and the message is marked `lost`. Should it count for the order later on, only the rest is done.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  KEYS[..]  moved:{<warehouse>}:<sku>               sorted set: what moved on-hand units, by time; as many, in their order
  ARGV[1]   message: the WMS's own id of what it tells
  ARGV[2]   when it was found, ms since 1970; on-hand stays when a count was taken later
  ARGV[3]   how long a tombstone is kept, ms
  ARGV[4]   how long movements are kept for counts that come late, ms
  ARGV[5]   revision up to which it holds: the order's, when the WMS was told nothing newer than what it is short of
  ARGV[6]   shelf | units | none; shelf: nothing is left there, so no more is promised until the next count;
            units: these are lost; none: they are there, but not for this order
  ARGV[7]   limit: with shelf, if more units than this would be promised no more, only the missing ones are lost, and the
            shelf must be counted; -1 = none
  ARGV[8..] per stock key two values: units concerned, -1 for all that the reservation has of it; and how many of it the
            instruction asked for, -1 where that is not known: of all, no more than these less what has left are lost
  Returns   { outcome, ... }
    NOTED            SKU, units, ...: it is done; of these SKUs so many units are promised still, and must be counted
    REPEAT           this message was here before
    STALE            SKU, units, ...: a newer revision was told to the WMS since, and it will answer that one; what it
                     has is as it was, on-hand is less
    NOTHING_HELD     SKU, units, ...: the order has nothing here; on-hand is less
    UNKNOWN_LINES    SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
-- @include workers.inventory.operations.shared:physical.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local at, count, limit = tonumber(ARGV[2]), (#KEYS - 4) / 2, tonumber(ARGV[7])
local mark = read('HGET', KEYS[1], 'wms:' .. ARGV[1])
if mark and mark ~= 'lost' then
  return { 'REPEAT' }
end
local found = read_reservation(KEYS[1])
local has_some = found.live and found.state ~= 'held'
local counts = has_some and not is_older(ARGV[5], found.revision)

local function left_alone(to_count)
  if not has_some then
    return { 'NOTHING_HELD', unpack(to_count) }
  end
  return { 'STALE', unpack(to_count) }
end

if not counts and (mark or ARGV[6] == 'none') then
  return left_alone({})
end
local skus = skus_in_keys(found, 4 + count)
if not skus then
  return unknown_lines(found)
end

-- Per SKU: units that are off the reservation, units concerned, and how many of these can be lost.
local function concerned(named, told, had, left_before)
  if not counts then
    local missing = named < 0 and math.max(0, told - left_before) or (told < 0 and named or math.min(named, told))
    return 0, missing, missing
  end
  local most = named < 0 and all_of(had, told, left_before) or had
  local short = named < 0 and had or math.min(named, had)
  -- When the order was given up it ships nothing more, and nobody wants the rest.
  return found.stop == 'release' and had or short, short, math.min(short, most)
end

local moves, physical, rest, to_count, total = {}, {}, {}, {}, 0
for i = 1, #skus do
  local key, had = KEYS[i + 4], found.units[skus[i]] or 0
  local named, told = whole(ARGV[2 * i + 6], key, 'the quantity short'), whole(ARGV[2 * i + 7], key, 'the quantity told')
  local off, short, missing = concerned(named, told, had, found.shipped and found.shipped[skus[i]] or 0)
  local counters, counter, lost = read_counters(key), COUNTER_OF[found.state], 0
  if off > 0 and counters[counter] < off then
    corrupt(key, COUNTERS[counter] .. ' is less than one of its reservations')
  end
  if short > 0 and ARGV[6] ~= 'none' then
    lost = mark and 0 or missing
    if ARGV[6] == 'shelf' then
      local promised = math.max(0, available_to_promise(counters))
      if limit >= 0 and promised > limit then
        to_count[#to_count + 1] = skus[i]
        to_count[#to_count + 1] = string.format('%d', promised)
      else
        lost = off + promised
      end
    end
  end
  physical[i], rest[i], total = -unless_counted(counters, at, lost), had - off, total + short
  local move = { key, skus[i] }
  if off > 0 then
    move[3], move[4] = COUNTERS[counter], -off
  end
  if physical[i] ~= 0 then
    move[#move + 1] = 'on_hand'
    move[#move + 1] = physical[i]
  end
  if #move > 2 then
    moves[#moves + 1] = move
  end
end
if not counts and total == 0 then
  return left_alone({}) -- it is not known which units are meant
end
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)
check_moved(5 + count)

write_moves(moves)
for i = 1, count do
  local name = order .. '/' .. ARGV[1] .. (counts and '' or '/lost')
  write_moved(KEYS[4 + count + i], at, physical[i], name, tonumber(ARGV[4]))
end
if not counts then
  save(found, order, 'lost', moves, ARGV[3], ARGV[1], at)
  return left_alone(to_count)
end
local some_left
found.lines, some_left = pack_lines(skus, rest)
if not some_left then
  found.state, found.stop, found.deadline = found.shipped and 'shipped' or 'released', '', '0'
end
save(found, order, 'short', moves, ARGV[3], ARGV[1], at)
return { 'NOTED', unpack(to_count) }

--[[ Give one order its units in one warehouse, all or none: a new reservation, or the replacement of an older one.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  ARGV[1]   revision
  ARGV[2]   fence: the claim's number; a lower one than the reservation has seen changes nothing
  ARGV[3]   state to enter: held | committed
  ARGV[4]   deadline of a hold, ms since 1970; 0 = none
  ARGV[5]   take | keep | stop | grow | shrink; keep takes nothing new: units and a hold's deadline stay, and no state
            goes back; stop is keep, and the WMS was told to stop: when it answers, the units are committed and wait;
            grow gives nothing back, and units for which an answer of the WMS is still to come become no hold before it;
            shrink takes nothing, nor gives back what waits for a person
  ARGV[6]   how long a tombstone is kept, ms
  ARGV[7..] units wanted, one per KEYS[5..]; 0 for a SKU that is given up. What has shipped from here counts as given
  Returns   { outcome, ... }
    RESERVED        stop: it is done; and what was to happen when the WMS answers, where it was told to stop before
    ALREADY         state: this is what the order already has
    STALE           a newer revision or claim was here
    INSUFFICIENT    units this order could have, one per KEYS[5..]; nothing was changed
    NOTHING_HELD    with keep and stop: the order has nothing here
    SHIPPED         all that is wanted has left this warehouse; what was reserved beyond it is given back
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local revision, fence, state, deadline, taking = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local found = read_reservation(KEYS[1])
if taking == 'shrink' and (found.stop == 'keep' or found.stop == 'hold') then
  taking = 'keep'
end
local keep = taking == 'keep' or taking == 'stop'
if is_stale(found, revision, fence) then
  return { 'STALE' }
end
if keep and not found.live then
  return { found.state == 'shipped' and 'SHIPPED' or 'NOTHING_HELD' }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
local stop = ''
if taking == 'stop' then
  stop = found.state == 'held' and '' or 'keep'
elseif keep or taking == 'shrink' then
  stop = found.stop == 'hold' and state == 'committed' and ARGV[5] == 'keep' and 'keep' or found.stop -- paid meanwhile
elseif taking == 'grow' and state == 'held' and found.live and found.stop ~= '' then
  stop = 'hold' -- the WMS may be packing them: no deadline ends that
end
if found.state == 'allocated' or stop == 'hold' or (keep and state == 'held') then
  state = found.state -- what the WMS has, it keeps; and a hold that is only kept stays a hold
end
if keep and (state == 'held' or stop == 'hold') then
  deadline = found.deadline
elseif state ~= 'held' and stop ~= 'hold' then
  deadline = '0'
end

local wanted, asked, left = {}, 0, 0
local same = found.live and found.revision == revision and found.state == state and found.deadline == deadline
  and found.stop == stop
for i = 1, #skus do
  local had = found.units[skus[i]] or 0
  local want = keep and had or whole(ARGV[i + 6], KEYS[i + 4], 'the quantity wanted')
  if want < 0 then
    corrupt(KEYS[i + 4], 'the quantity wanted is negative')
  end
  asked = asked + want
  if not keep and found.shipped then
    want = math.max(0, want - (found.shipped[skus[i]] or 0))
  end
  if taking == 'grow' then
    want = math.max(want, had)
  elseif taking == 'shrink' then
    want = math.min(want, had)
  end
  wanted[i], left = want, left + want
  same = same and want == had
end
if asked == 0 then
  corrupt(KEYS[1], 'no units wanted; use release.lua')
end
if same then
  return { 'ALREADY', state }
end
if left == 0 then
  if found.live then
    local moves = plan_moves(found, skus, wanted, '')
    check_ledger(KEYS[2], KEYS[3], KEYS[4], order)
    write_moves(moves)
    found.revision, found.fence, found.state, found.deadline, found.lines, found.stop = revision, fence, 'shipped', '0', '[]', ''
    save(found, order, 'changed', moves, ARGV[6])
  end
  return { 'SHIPPED' }
end

local moves, available, enough = plan_moves(found, skus, wanted, state)
if not enough then
  return { 'INSUFFICIENT', unpack(available) }
end
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
local kind, had_stop = 'changed', found.stop
if found.state ~= state then
  kind = state == 'held' and 'held' or 'committed'
end
found.revision, found.fence, found.state, found.deadline, found.stop = revision, fence, state, deadline, stop
found.lines = pack_lines(skus, wanted)
save(found, order, kind, moves, ARGV[6])
if had_stop ~= '' then
  return { 'RESERVED', had_stop }
end
return { 'RESERVED' }

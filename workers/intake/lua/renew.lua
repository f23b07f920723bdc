--[[ Keep a lease that is still ours, and take the note that asks for an early poll.

  KEYS[1]  intake-lease:{<channel>/<shop>}   string: the holder's token, expires
  KEYS[2]  intake-hint:{<channel>/<shop>}    string: there when a push told of news
  ARGV[1]  token   ARGV[2] time to live, ms
  Returns  outcome   LOST | RENEWED | RENEWED_WITH_HINT ]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'LOST'
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('DEL', KEYS[2]) == 1 then
  return 'RENEWED_WITH_HINT'
end
return 'RENEWED'

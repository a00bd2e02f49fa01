package dev.twinbox.redis;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The scripts, each of which changes records atomically and by Redis' own clock.
 *
 * <p>A record is a string that expires. Tokens and times are microseconds since 1970, which Lua's
 * numbers hold exactly. The states:
 *
 * <pre>
 * (none)                     free
 * L:token:until:attempts     being processed by the token until then
 * F:token:attempts           free again, after so many failed or broken-off attempts
 * X:token:attempts:error     its commands were executed in part; to be quarantined
 * Q:token                    quarantined
 * token                      processed. An integer, which Redis keeps without a string
 * </pre>
 */
enum Script {
  /**
   * Takes an id. The token is the time, and above the last one: it rises also when the record was
   * lost meanwhile. KEYS: record. ARGV: lease in µs, expiry in ms, whether also to take what was
   * taken before. Returns the new state's letter, its token or the time left in ms, its attempts.
   */
  TAKE(
      """
      local v = redis.call('GET', KEYS[1])
      local t = redis.call('TIME')
      local now = t[1] * 1000000 + t[2]
      local last, attempts = 0, 0
      if v then
        local kind = string.sub(v, 1, 1)
        if kind == 'L' then
          local token, till, n = string.match(v, '^L:(%d+):(%d+):(%d+)$')
          if tonumber(till) > now then
            return {'H', tostring(math.ceil((tonumber(till) - now) / 1000)), n}
          end
          last, attempts = tonumber(token), tonumber(n)
        elseif kind == 'F' then
          local token, n = string.match(v, '^F:(%d+):(%d+)$')
          last, attempts = tonumber(token), tonumber(n)
        elseif kind == 'X' then
          local token, n, text = string.match(v, '^X:(%d+):(%d+):(.*)$')
          return {'X', token, n, text}
        elseif kind == 'Q' then
          return {'Q', '0', '0'}
        else
          return {'D', v, '0'}
        end
        if attempts > 0 and ARGV[3] == '0' then
          return {'S', '0', tostring(attempts)}
        end
      end
      if now <= last then now = last + 1 end
      local token = string.format('%.0f', now)
      local till = string.format('%.0f', t[1] * 1000000 + t[2] + tonumber(ARGV[1]))
      attempts = string.format('%.0f', attempts + 1)
      redis.call('SET', KEYS[1], 'L:' .. token .. ':' .. till .. ':' .. attempts, 'PX', ARGV[2])
      return {'T', token, attempts}
      """),

  /**
   * Finishes messages of one key in their order, each with its commands, and stops at one whose
   * first command fails or whose token is stale: those behind it are given back. KEYS: records.
   * ARGV: expiry in ms; for each record its token, the number of commands, and for each command the
   * number of words and the words. Returns for each record: done, lost, held, or the command that
   * failed with its error.
   */
  FINISH(
      """
      local out, p, stopped = {}, 2, false
      for i = 1, #KEYS do
        local token, count = ARGV[p], tonumber(ARGV[p + 1])
        p = p + 2
        local v = redis.call('GET', KEYS[i])
        local attempts = v and string.match(v, '^L:' .. token .. ':%d+:(%d+)$')
        local run = false
        if v == token then
          out[i] = {'D'}
        elseif not attempts then
          out[i] = {'L'}
          stopped = true
        elseif stopped then
          redis.call('SET', KEYS[i],
            'F:' .. token .. ':' .. string.format('%.0f', attempts - 1), 'PX', ARGV[1])
          out[i] = {'R'}
        else
          run = true
          out[i] = {'D'}
        end
        for c = 1, count do
          local words = tonumber(ARGV[p])
          if run then
            local answer = redis.pcall(unpack(ARGV, p + 1, p + words))
            if type(answer) == 'table' and answer.err then
              run = false
              if c == 1 then
                out[i] = {'E', '1', answer.err}
                stopped = true
              else
                out[i] = {'X', tostring(c), answer.err}
                redis.call('SET', KEYS[i], 'X:' .. token .. ':' .. attempts
                  .. ':command ' .. c .. ' of ' .. count .. ': ' .. answer.err, 'PX', ARGV[1])
              end
            end
          end
          p = p + 1 + words
        end
        if run then
          redis.call('SET', KEYS[i], token, 'PX', ARGV[1])
        end
      end
      return out
      """),

  /**
   * Changes one record whose token is given. KEYS: record. ARGV: what, token, expiry in ms, lease
   * in µs. Returns the attempts, or -1 when the token is stale.
   */
  CHANGE(
      """
      local v = redis.call('GET', KEYS[1])
      local what, token = ARGV[1], ARGV[2]
      if what == 'reopen' then
        if v and string.sub(v, 1, 2) == 'Q:' then
          redis.call('SET', KEYS[1], 'F:' .. string.sub(v, 3) .. ':0', 'PX', ARGV[3])
        end
        return 0
      end
      local attempts = v and string.match(v, '^L:' .. token .. ':%d+:(%d+)$')
      if v and what == 'quarantine' then
        attempts = attempts or string.match(v, '^X:' .. token .. ':(%d+):')
      end
      if not attempts then
        return -1
      end
      if what == 'renew' then
        local t = redis.call('TIME')
        local till = string.format('%.0f', t[1] * 1000000 + t[2] + tonumber(ARGV[4]))
        redis.call('SET', KEYS[1], 'L:' .. token .. ':' .. till .. ':' .. attempts, 'PX', ARGV[3])
      elseif what == 'fail' then
        redis.call('SET', KEYS[1], 'F:' .. token .. ':' .. attempts, 'PX', ARGV[3])
      elseif what == 'release' then
        redis.call('SET', KEYS[1],
          'F:' .. token .. ':' .. string.format('%.0f', attempts - 1), 'PX', ARGV[3])
      elseif what == 'quarantine' then
        redis.call('SET', KEYS[1], 'Q:' .. token, 'PX', ARGV[3])
      end
      return tonumber(attempts)
      """),

  /**
   * Registers a consumer. A longer horizon holds only once all records have been kept for it; a
   * shorter one holds at once. KEYS: the consumer. ARGV: the horizon in ms. Returns the time, since
   * when the consumer is registered, the horizon that holds, and the latest time ever seen.
   */
  REGISTER(
      """
      local t = redis.call('TIME')
      local now = t[1] * 1000 + math.floor(t[2] / 1000)
      local wanted = tonumber(ARGV[1])
      local row = redis.call('HMGET', KEYS[1], 'since', 'horizon', 'wanted', 'from', 'seen')
      local since = tonumber(row[1] or now)
      local horizon = tonumber(row[2] or wanted)
      local seen = tonumber(row[5] or now)
      if wanted <= horizon then
        horizon = wanted
        redis.call('HDEL', KEYS[1], 'wanted', 'from')
      elseif tonumber(row[3] or 0) ~= wanted then
        redis.call('HSET', KEYS[1], 'wanted', ARGV[1], 'from', string.format('%.0f', now))
      elseif now - tonumber(row[4]) > wanted then
        horizon = wanted
      end
      redis.call('HSET', KEYS[1], 'since', string.format('%.0f', since),
        'horizon', string.format('%.0f', horizon),
        'seen', string.format('%.0f', math.max(seen, now)))
      return {string.format('%.0f', now), string.format('%.0f', since),
        string.format('%.0f', horizon), string.format('%.0f', seen)}
      """),

  /**
   * Keeps a message in quarantine; one that is there already keeps its number. KEYS: the message,
   * the list, the counter. ARGV: name, then fields and values.
   */
  KEEP(
      """
      local number = redis.call('ZSCORE', KEYS[2], ARGV[1])
      if not number then
        number = redis.call('INCR', KEYS[3])
      end
      local t = redis.call('TIME')
      redis.call('DEL', KEYS[1])
      redis.call('HSET', KEYS[1], 'number', string.format('%.0f', number),
        'at', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)),
        unpack(ARGV, 2))
      redis.call('ZADD', KEYS[2], number, ARGV[1])
      return 1
      """);

  @SuppressWarnings("ImmutableEnumChecker") // handed out as copies
  private final byte[] text;

  @SuppressWarnings("ImmutableEnumChecker")
  private final byte[] sha;

  Script(String text) {
    this.text = text.getBytes(StandardCharsets.UTF_8);
    try {
      byte[] hash = MessageDigest.getInstance("SHA-1").digest(this.text);
      sha = HexFormat.of().formatHex(hash).getBytes(StandardCharsets.UTF_8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-1", e);
    }
  }

  byte[] text() {
    return text.clone();
  }

  /** The name under which Redis keeps it once it was executed. */
  byte[] sha() {
    return sha.clone();
  }
}

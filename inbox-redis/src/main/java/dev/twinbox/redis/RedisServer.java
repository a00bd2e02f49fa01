package dev.twinbox.redis;

import dev.twinbox.inbox.DatabaseUnavailableException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Runs scripts in pipelines. What Redis cannot do now is a {@link DatabaseUnavailableException}.
 * Thread-safe, as its client is.
 */
record RedisServer(UnifiedJedis client, int replicas, long replicasMillis) {
  /** A call of a script. */
  record Call(List<byte[]> keys, List<byte[]> arguments) {}

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] bytes(long number) {
    return bytes(Long.toString(number));
  }

  /** A word of a script's answer. */
  static String text(Object word) {
    return word instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : String.valueOf(word);
  }

  /** All in one round trip, or in two where Redis has not seen the script since its start. */
  List<Object> run(String failure, Script script, List<Call> calls) {
    return run(failure, script, calls, false);
  }

  /**
   * The same, and then waits for replicas where that is wanted.
   *
   * @throws DatabaseUnavailableException also when too few replicas have confirmed in time
   */
  List<Object> runAndWait(String failure, Script script, List<Call> calls) {
    return run(failure, script, calls, replicas > 0);
  }

  Object run(String failure, Script script, Call call) {
    return run(failure, script, List.of(call)).get(0);
  }

  <T> T ask(String failure, Supplier<T> command) {
    try {
      return command.get();
    } catch (JedisException | IllegalStateException e) {
      throw new DatabaseUnavailableException(failure, e);
    }
  }

  private List<Object> run(String failure, Script script, List<Call> calls, boolean wait) {
    if (calls.isEmpty()) {
      return List.of();
    }
    List<Object> answers = send(failure, script.sha(), false, calls, wait);
    List<Integer> unknown = new ArrayList<>();
    List<Call> again = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      if (answers.get(i) instanceof JedisDataException e
          && String.valueOf(e.getMessage()).startsWith("NOSCRIPT")) {
        unknown.add(i);
        again.add(calls.get(i));
      }
    }
    if (!again.isEmpty()) {
      List<Object> later = send(failure, script.text(), true, again, wait);
      for (int i = 0; i < later.size(); i++) {
        answers.set(unknown.get(i), later.get(i));
      }
    }
    for (Object answer : answers) {
      if (answer instanceof JedisException e) {
        throw unavailable(failure, e);
      }
    }
    return answers;
  }

  private List<Object> send(
      String failure, byte[] script, boolean text, List<Call> calls, boolean wait) {
    List<Object> answers = new ArrayList<>(calls.size());
    try (AbstractPipeline pipeline = client.pipelined()) {
      List<Response<Object>> responses = new ArrayList<>(calls.size());
      for (Call call : calls) {
        responses.add(
            text
                ? pipeline.eval(script, call.keys(), call.arguments())
                : pipeline.evalsha(script, call.keys(), call.arguments()));
      }
      Response<Long> confirmed =
          wait ? pipeline.waitReplicas(calls.get(0).keys().get(0), replicas, replicasMillis) : null;
      pipeline.sync();
      for (Response<Object> response : responses) {
        answers.add(answer(response));
      }
      if (confirmed != null && confirmed.get() < replicas) {
        throw new DatabaseUnavailableException(
            failure,
            new JedisException(
                "%s of %s replicas have confirmed within %s ms"
                    .formatted(confirmed.get(), replicas, replicasMillis)));
      }
    } catch (JedisException | IllegalStateException e) {
      throw unavailable(failure, e);
    }
    return answers;
  }

  /** Pipelines follow no redirection, and learn nothing of it: the next one asks the right node. */
  private DatabaseUnavailableException unavailable(String failure, RuntimeException cause) {
    if (client instanceof RedisClusterClient cluster) {
      try {
        cluster.refreshClusterTopology();
      } catch (JedisException | IllegalStateException e) {
        cause.addSuppressed(e);
      }
    }
    return new DatabaseUnavailableException(failure, cause);
  }

  private static Object answer(Response<Object> response) {
    try {
      return response.get();
    } catch (JedisDataException e) {
      return e;
    }
  }
}

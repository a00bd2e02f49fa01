package dev.twinbox.testkit;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * How RocketMQ's servers are run as processes: with the jars that they need, which are on nobody
 * else's class path, in small heaps, and with a folder that goes away.
 */
final class RocketServers {
  private static final String CLASS_PATH_FILE = "rocketmq-servers.classpath";
  private static final String CLASS_PATH_PROPERTY = "twinbox.rocketmq.classpath";
  private static final String MAIN_JAR = "rocketmq-broker";

  /** What RocketMQ reaches into on JDK 17. */
  private static final String[] OPTIONS = {
    "-Xmx256m",
    "-XX:MaxDirectMemorySize=256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    // It numbers files by the default locale's digits; no broker under test is to depend on that.
    "-Duser.language=en",
    "-Duser.country=US",
    "-Dfile.encoding=UTF-8",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED"
  };

  private static final String LOGGING =
      """
      <configuration>
        <appender name="console" class="org.apache.rocketmq.logging.ch.qos.logback.core.ConsoleAppender">
          <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{24} %msg%n</pattern></encoder>
        </appender>
        <logger name="RocketmqConsole" level="INFO"/>
        <root level="WARN"><appender-ref ref="console"/></root>
      </configuration>
      """;

  private RocketServers() {}

  /** Runs {@code mainClass} with the settings as its file of properties. */
  static JavaProcess start(
      String mainClass, Path folder, String name, Map<String, String> settings) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("rmq.logback.xml"), LOGGING);
      Path file = folder.resolve(name + ".properties");
      StringBuilder text = new StringBuilder();
      new TreeMap<>(settings)
          .forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
      Files.writeString(file, text, StandardCharsets.ISO_8859_1);
      String[] options = Arrays.copyOf(OPTIONS, OPTIONS.length + 2);
      options[OPTIONS.length] = "-Duser.home=" + folder;
      options[OPTIONS.length + 1] = "-Drocketmq.home.dir=" + folder;
      return JavaProcess.of(mainClass, log(folder, name))
          .classPath(folder + File.pathSeparator + classPath())
          .options(options)
          .arguments("-c", file.toString())
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path log(Path folder, String name) {
    return folder.resolve(name + ".log");
  }

  private static String classPath() throws IOException {
    String given = System.getProperty(CLASS_PATH_PROPERTY);
    if (given != null) {
      return given;
    }
    try (InputStream file = RocketServers.class.getResourceAsStream(CLASS_PATH_FILE)) {
      if (file != null) {
        return new String(file.readAllBytes(), StandardCharsets.UTF_8).strip();
      }
    }
    String own = System.getProperty("java.class.path");
    if (own.contains(MAIN_JAR)) {
      return own;
    }
    throw new IllegalStateException(
        "RocketMQ's servers are not to be found. Put org.apache.rocketmq:rocketmq-namesrv and"
            + " rocketmq-broker on the class path of the tests, or name their jars and all that they"
            + " need in the system property "
            + CLASS_PATH_PROPERTY
            + ".");
  }
}

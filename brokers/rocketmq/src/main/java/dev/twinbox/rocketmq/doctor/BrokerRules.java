package dev.twinbox.rocketmq.doctor;

import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Durations;
import dev.twinbox.broker.doctor.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Which settings of a master can lose messages. */
final class BrokerRules {
  private static final Duration OUTAGE = Duration.ofDays(1);
  private static final long OUTBOX_BYTES = 1_048_576;

  private final String subject;
  private final Properties config;
  private final int slaves;
  private final List<Finding> findings = new ArrayList<>();

  private BrokerRules(String subject, Properties config, int slaves) {
    this.subject = subject;
    this.config = config;
    this.slaves = slaves;
  }

  /**
   * @param config as the broker tells it
   * @param slaves that the name server knows
   * @param horizon how long the inbox remembers
   */
  static List<Finding> judge(String subject, Properties config, int slaves, Duration horizon) {
    BrokerRules rules = new BrokerRules(subject, config, slaves);
    rules.flush();
    rules.replication();
    rules.retention(horizon);
    rules.others();
    if (rules.findings.isEmpty()) {
      rules.findings.add(
          Finding.ok(
              subject,
              "%s, %s, inSyncReplicas=%s"
                  .formatted(
                      rules.value("flushDiskType"),
                      rules.value("brokerRole"),
                      rules.value("inSyncReplicas"))));
    }
    return rules.findings;
  }

  private void flush() {
    if (!value("flushDiskType").equals("SYNC_FLUSH")) {
      danger(RocketCheck.FLUSH_ASYNC, "flushDiskType", "Set flushDiskType=SYNC_FLUSH.");
    }
  }

  /**
   * How many have a message when it is confirmed is said by three settings, and which one counts by
   * a fourth and fifth. A master alone with inSyncReplicas=1 waits for nobody, whatever its role.
   */
  private void replication() {
    boolean controller = isOn("enableControllerMode");
    boolean allInSync = controller && isOn("allAckInSyncStateSet");
    if (!controller && !value("brokerRole").equals("SYNC_MASTER")) {
      danger(
          RocketCheck.REPLICATION_ASYNC,
          "brokerRole",
          "Set brokerRole=SYNC_MASTER and inSyncReplicas=2, and run a slave.");
      return;
    }
    if (!allInSync && number("inSyncReplicas", 1) < 2) {
      danger(RocketCheck.IN_SYNC_REPLICAS, "inSyncReplicas", "Set inSyncReplicas=2.");
      return;
    }
    boolean leastCounts =
        allInSync || (isOn("enableSlaveActingMaster") && isOn("enableAutoInSyncReplicas"));
    if (leastCounts && number("minInSyncReplicas", 1) < 2) {
      danger(RocketCheck.MIN_IN_SYNC_REPLICAS, "minInSyncReplicas", "Set minInSyncReplicas=2.");
    }
    if (slaves == 0) {
      findings.add(
          Finding.warning(
              RocketCheck.SLAVE_MISSING,
              subject,
              "no slave is registered",
              "Start one, or see why it does not reach the name server."));
    }
  }

  private void retention(Duration horizon) {
    Duration kept = Duration.ofHours(number("fileReservedTime", 72));
    String remedy = "Set fileReservedTime=%s.".formatted(horizon.toHours());
    String value =
        "fileReservedTime=%s (%s)".formatted(value("fileReservedTime"), Durations.text(kept));
    if (kept.compareTo(OUTAGE) < 0) {
      findings.add(
          Finding.danger(
              RocketCheck.FILE_RESERVED_TIME,
              subject,
              value + ", shorter than an outage of " + Durations.text(OUTAGE),
              remedy));
    } else if (kept.compareTo(horizon) < 0) {
      findings.add(
          Finding.warning(
              RocketCheck.FILE_RESERVED_TIME,
              subject,
              value + ", shorter than the inbox remembers: " + Durations.text(horizon),
              remedy));
    } else if (kept.compareTo(horizon) > 0) {
      findings.add(
          Finding.warning(
              RocketCheck.RESERVED_BEYOND_HORIZON,
              subject,
              value + ", longer than the inbox remembers: " + Durations.text(horizon),
              remedy));
    }
  }

  private void others() {
    if (isOn("autoCreateTopicEnable")) {
      warning(
          RocketCheck.TOPIC_AUTO_CREATION,
          "autoCreateTopicEnable",
          "Set autoCreateTopicEnable=false at all brokers.");
    }
    if (isOn("cleanFileForciblyEnable")) {
      warning(
          RocketCheck.DELETED_WHEN_DISK_FULL,
          "cleanFileForciblyEnable",
          "Set cleanFileForciblyEnable=false, and watch the disk.");
    }
    if (number("maxMessageSize", Long.MAX_VALUE) < OUTBOX_BYTES) {
      warning(
          RocketCheck.MAX_MESSAGE_SIZE,
          "maxMessageSize",
          "Set maxMessageSize=4194304, or lower maxPayloadBytes of the Outbox.");
    }
  }

  private void danger(Check check, String setting, String remedy) {
    findings.add(Finding.danger(check, subject, setting + "=" + value(setting), remedy));
  }

  private void warning(Check check, String setting, String remedy) {
    findings.add(Finding.warning(check, subject, setting + "=" + value(setting), remedy));
  }

  private boolean isOn(String setting) {
    return value(setting).equals("true");
  }

  private String value(String setting) {
    return config.getProperty(setting, "").strip();
  }

  private long number(String setting, long otherwise) {
    try {
      return Long.parseLong(value(setting));
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }
}

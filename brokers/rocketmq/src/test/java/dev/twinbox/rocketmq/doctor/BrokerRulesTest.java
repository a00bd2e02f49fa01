package dev.twinbox.rocketmq.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BrokerRulesTest {
  private static final Duration HORIZON = Duration.ofDays(7);
  private static final String GOOD =
      "flushDiskType=SYNC_FLUSH brokerRole=SYNC_MASTER inSyncReplicas=2 minInSyncReplicas=1"
          + " fileReservedTime=168 autoCreateTopicEnable=false cleanFileForciblyEnable=false"
          + " maxMessageSize=4194304";
  private static final String CONTROLLER = " enableControllerMode=true brokerRole=ASYNC_MASTER";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        CONTROLLER,
        CONTROLLER + " allAckInSyncStateSet=true inSyncReplicas=1 minInSyncReplicas=2",
        " enableSlaveActingMaster=true enableAutoInSyncReplicas=true minInSyncReplicas=2",
      })
  void theseAreSafe(String settings) {
    assertThat(judge(settings, 1)).extracting(Finding::severity).containsOnly(Severity.OK);
  }

  @ParameterizedTest
  @CsvSource({
    "flushDiskType=ASYNC_FLUSH, flush-async",
    "brokerRole=ASYNC_MASTER, replication-async",
    "inSyncReplicas=1, in-sync-replicas",
    "brokerRole=ASYNC_MASTER enableControllerMode=true inSyncReplicas=1, in-sync-replicas",
    "enableControllerMode=true allAckInSyncStateSet=true minInSyncReplicas=1,"
        + " min-in-sync-replicas",
    "enableSlaveActingMaster=true enableAutoInSyncReplicas=true, min-in-sync-replicas",
    "fileReservedTime=23, file-reserved-time",
    "fileReservedTime=0, file-reserved-time",
  })
  void theseAreRefusedWithValueAndRemedy(String settings, String code) {
    List<Finding> found = judge(" " + settings, 1);

    assertThat(found).extracting(Finding::code).containsExactly(code);
    assertThat(found.get(0).isRefused()).isTrue();
    assertThat(found.get(0).value()).contains("=");
    assertThat(found.get(0).remedy()).startsWith("Set ");
  }

  @ParameterizedTest
  @CsvSource({
    "fileReservedTime=48, file-reserved-time",
    "fileReservedTime=400, reserved-beyond-horizon",
    "autoCreateTopicEnable=true, topic-auto-creation",
    "cleanFileForciblyEnable=true, deleted-when-disk-full",
    "maxMessageSize=65536, max-message-size",
  })
  void theseAreWarnedOf(String settings, String code) {
    List<Finding> found = judge(" " + settings, 1);

    assertThat(found).extracting(Finding::code).containsExactly(code);
    assertThat(found.get(0).severity()).isEqualTo(Severity.WARNING);
  }

  @Test
  void aMasterThatWaitsForASlaveThatIsNotThereIsWarnedOf() {
    assertThat(judge("", 0)).extracting(Finding::code).containsExactly("slave-missing");
  }

  private static List<Finding> judge(String settings, int slaves) {
    Properties config = new Properties();
    for (String setting : (GOOD + settings).split(" ")) {
      String[] parts = setting.split("=", 2);
      config.setProperty(parts[0], parts[1]);
    }
    return BrokerRules.judge("rocketmq:orders on broker", config, slaves, HORIZON);
  }
}

package dev.twinbox.rocketmq.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.remoting.exception.RemotingConnectException;
import org.apache.rocketmq.remoting.exception.RemotingSendRequestException;
import org.apache.rocketmq.remoting.exception.RemotingTimeoutException;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RocketErrorsTest {
  private static final String ILLEGAL =
      "the message is illegal, maybe msg body or properties length not matched. msg body length"
          + " limit 4194304B, msg properties length limit 32KB.";

  @Test
  void onlyOneStatusIsAConfirm() {
    assertThat(RocketErrors.outcome(SendStatus.SEND_OK)).isEqualTo(Outcome.PUBLISHED);
  }

  @ParameterizedTest
  @EnumSource(names = "SEND_OK", mode = EnumSource.Mode.EXCLUDE)
  void whatMayNotBeOnEveryDiskIsUnknown(SendStatus status) {
    assertThat(RocketErrors.outcome(status)).isInstanceOf(Outcome.Unknown.class);
  }

  @ParameterizedTest
  @CsvSource({
    "17, No topic route info, MISSING_DESTINATION",
    "16, the broker's permission is not writeable, NOT_AUTHORISED",
    "2, [TIMEOUT_CLEAN_QUEUE]broker busy, BLOCKED",
    "14, the broker's disk is full, REFUSED",
    "1, in-sync replicas not enough, NOT_ENOUGH_REPLICAS",
    "1, org.apache.rocketmq.acl.common.AclException: No accessKey, NOT_AUTHENTICATED",
  })
  void theDestinationsTroubleIsNoMessagesFault(int code, String said, Reason reason) {
    assertThat(RocketErrors.outcome(new MQBrokerException(code, said), 10))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class, is -> assertThat(is.reason()).isEqualTo(reason));
  }

  @ParameterizedTest
  @CsvSource({"4194305, TOO_LARGE", "4194304, MALFORMED"})
  void anIllegalMessageIsRejectedForItsSizeOrItsHeaders(int bytes, Reason reason) {
    assertThat(
            RocketErrors.outcome(
                new MQBrokerException(ResponseCode.MESSAGE_ILLEGAL, ILLEGAL), bytes))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, is -> assertThat(is.reason()).isEqualTo(reason));
  }

  @Test
  void aMessageTooLargeForTheClientIsRejected() {
    assertThat(
            RocketErrors.outcome(
                new MQClientException(
                    ResponseCode.MESSAGE_ILLEGAL, "the message body size over max value, MAX: 5"),
                6))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, is -> assertThat(is.reason()).isEqualTo(Reason.TOO_LARGE));
  }

  @Test
  void withoutAConnectionNothingWasSent() {
    assertThat(
            RocketErrors.outcome(
                new MQClientException("unknown reason", new RemotingConnectException("there")), 1))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> {
              assertThat(is.reason()).isEqualTo(Reason.UNREACHABLE);
              assertThat(is.detail()).contains("there");
            });
  }

  @Test
  void withoutAnAnswerNobodyKnows() {
    assertThat(
            RocketErrors.outcome(
                new MQClientException("timeout", new RemotingTimeoutException("there", 3)), 1))
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(
            RocketErrors.outcome(
                new MQClientException(
                    "failed", new RemotingSendRequestException("there", new Exception())),
                1))
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(RocketErrors.outcome(new MQBrokerException(1, "UNKNOWN_ERROR"), 1))
        .isInstanceOf(Outcome.Unknown.class);
  }
}

package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.client.common.ClientErrorCode;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.remoting.exception.RemotingConnectException;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.jspecify.annotations.Nullable;

/**
 * What an answer of the broker or an exception of the client says about a message. What the table
 * does not name is unknown, and published again.
 */
final class RocketErrors {
  private static final int MOST_CAUSES = 5;
  private static final Pattern BODY_LIMIT = Pattern.compile("body length limit (\\d{1,18})B");

  private RocketErrors() {}

  /**
   * A message that the broker has stored, but not as it was told to: it may be on one disk only, or
   * on none.
   */
  static Outcome outcome(SendStatus status) {
    return switch (status) {
      case SEND_OK -> Outcome.PUBLISHED;
      case FLUSH_DISK_TIMEOUT ->
          new Outcome.Unknown("stored, but not confirmed to be on disk: " + status);
      case FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE ->
          new Outcome.Unknown("stored, but not confirmed to be replicated: " + status);
    };
  }

  /**
   * @param bytes of the message's payload
   */
  static Outcome outcome(Throwable failure, int bytes) {
    String detail = detail(failure);
    Throwable cause = failure;
    for (int i = 0; i < MOST_CAUSES && cause != null; i++, cause = cause.getCause()) {
      if (cause instanceof RemotingConnectException) {
        return new Outcome.Unavailable(Reason.UNREACHABLE, detail);
      }
      if (cause instanceof NoMasterException) {
        return new Outcome.Unavailable(Reason.NO_LEADER, detail);
      }
      if (cause instanceof MQBrokerException said) {
        return outcome(said.getResponseCode(), detail, bytes);
      }
      if (cause instanceof MQClientException said && said.getResponseCode() != -1) {
        return outcome(said.getResponseCode(), detail, bytes);
      }
    }
    return new Outcome.Unknown(detail);
  }

  static Outcome outcome(int code, String detail, int bytes) {
    return switch (code) {
      case ResponseCode.TOPIC_NOT_EXIST, ClientErrorCode.NOT_FOUND_TOPIC_EXCEPTION ->
          new Outcome.Unavailable(Reason.MISSING_DESTINATION, detail);
      case ResponseCode.NO_PERMISSION -> new Outcome.Unavailable(Reason.NOT_AUTHORISED, detail);
      case ResponseCode.MESSAGE_ILLEGAL -> illegal(detail, bytes);
      case ResponseCode.SYSTEM_BUSY -> new Outcome.Unavailable(Reason.BLOCKED, detail);
      case ResponseCode.SERVICE_NOT_AVAILABLE -> new Outcome.Unavailable(Reason.REFUSED, detail);
      case ResponseCode.SYSTEM_ERROR -> systemError(detail);
      case ClientErrorCode.CONNECT_BROKER_EXCEPTION,
          ClientErrorCode.BROKER_NOT_EXIST_EXCEPTION,
          ClientErrorCode.NO_NAME_SERVER_EXCEPTION ->
          new Outcome.Unavailable(Reason.UNREACHABLE, detail);
      default -> new Outcome.Unknown(detail);
    };
  }

  /** One code for a body that is too long, properties that are, and what is malformed. */
  private static Outcome illegal(String detail, int bytes) {
    Matcher limit = BODY_LIMIT.matcher(detail);
    boolean tooLarge =
        detail.contains("body size over max value")
            || (limit.find() && bytes > Long.parseLong(limit.group(1)));
    return tooLarge
        ? new Outcome.Rejected(
            Reason.TOO_LARGE,
            detail + " Raise maxMessageSize here and at the broker, or store a reference.")
        : new Outcome.Rejected(Reason.MALFORMED, detail);
  }

  private static Outcome systemError(String detail) {
    if (detail.contains("in-sync replicas not enough")) {
      return new Outcome.Unavailable(Reason.NOT_ENOUGH_REPLICAS, detail);
    }
    return detail.contains("AclException")
        ? new Outcome.Unavailable(Reason.NOT_AUTHENTICATED, detail)
        : new Outcome.Unknown(detail);
  }

  /** Names and messages of the exception and its causes; of so many, since they may go round. */
  static String detail(@Nullable Throwable failure) {
    StringBuilder text = new StringBuilder();
    Throwable each = failure;
    for (int i = 0; i < MOST_CAUSES && each != null; i++, each = each.getCause()) {
      text.append(i == 0 ? "" : "; ")
          .append(each.getClass().getSimpleName())
          .append(": ")
          .append(String.valueOf(each.getMessage()).strip().replaceAll("\\s*\\R\\s*", " "));
    }
    return text.toString();
  }
}

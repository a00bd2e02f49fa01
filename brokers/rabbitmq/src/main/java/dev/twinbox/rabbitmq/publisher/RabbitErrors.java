package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a closed channel or a failed connection says about messages. */
final class RabbitErrors {
  private static final Pattern EXCHANGE = Pattern.compile("exchange '([^']*)'");

  private RabbitErrors() {}

  /** Why no connection could be made. */
  static Outcome.Unavailable unavailable(Throwable failure) {
    String detail = failure.getClass().getSimpleName() + ": " + failure.getMessage();
    if (failure instanceof AuthenticationFailureException) {
      return new Outcome.Unavailable(Reason.NOT_AUTHENTICATED, detail);
    }
    ShutdownSignalException signal = signal(failure);
    if (signal != null
        && signal.getReason() instanceof AMQP.Connection.Close close
        && (close.getReplyCode() == AMQP.NOT_ALLOWED
            || close.getReplyCode() == AMQP.ACCESS_REFUSED)) {
      return new Outcome.Unavailable(Reason.NOT_AUTHENTICATED, close.getReplyText());
    }
    if (failure instanceof IllegalArgumentException) {
      return new Outcome.Unavailable(Reason.OTHER, detail);
    }
    return new Outcome.Unavailable(Reason.UNREACHABLE, detail);
  }

  /** What the broker said when it closed the channel, or null if it did not close it. */
  static AMQP.Channel.@Nullable Close channelClose(ShutdownSignalException signal) {
    return signal.getReason() instanceof AMQP.Channel.Close close ? close : null;
  }

  /** The exchange that the broker complains of, or null if it complains of something else. */
  static @Nullable String culprit(AMQP.Channel.Close close) {
    if (close.getReplyCode() != AMQP.NOT_FOUND && close.getReplyCode() != AMQP.ACCESS_REFUSED) {
      return null;
    }
    Matcher exchange = EXCHANGE.matcher(close.getReplyText());
    return exchange.find() ? exchange.group(1) : null;
  }

  /** The outcome of the one message over which the broker closed the channel. */
  static Outcome outcome(AMQP.Channel.Close close) {
    return outcome(close.getReplyCode(), close.getReplyText());
  }

  /**
   * What a reply code says of the one message that it is about. Settings and resources of the
   * broker are not the message's fault; what does not fit AMQP's frames may be.
   */
  static Outcome outcome(int code, String text) {
    String detail = code + " " + text;
    return switch (code) {
      case AMQP.CONTENT_TOO_LARGE -> new Outcome.Rejected(Reason.TOO_LARGE, detail);
      case AMQP.PRECONDITION_FAILED ->
          new Outcome.Rejected(
              detail.contains("size") ? Reason.TOO_LARGE : Reason.MALFORMED, detail);
      case AMQP.FRAME_ERROR, AMQP.SYNTAX_ERROR, AMQP.UNEXPECTED_FRAME ->
          new Outcome.Failed(Reason.MALFORMED, detail);
      case AMQP.NO_ROUTE, AMQP.NO_CONSUMERS -> new Outcome.Unavailable(Reason.UNROUTABLE, detail);
      case AMQP.NOT_FOUND, AMQP.INVALID_PATH ->
          new Outcome.Unavailable(Reason.MISSING_DESTINATION, detail);
      case AMQP.ACCESS_REFUSED, AMQP.NOT_ALLOWED ->
          new Outcome.Unavailable(Reason.NOT_AUTHORISED, detail);
      case AMQP.RESOURCE_LOCKED,
          AMQP.RESOURCE_ERROR,
          AMQP.NOT_IMPLEMENTED,
          AMQP.INTERNAL_ERROR,
          AMQP.COMMAND_INVALID,
          AMQP.CHANNEL_ERROR ->
          new Outcome.Unavailable(Reason.REFUSED, detail);
      default -> new Outcome.Unknown(detail);
    };
  }

  /** What the broker said when it closed the connection, or null if it did not close it. */
  static AMQP.Connection.@Nullable Close connectionClose(ShutdownSignalException signal) {
    return signal.getReason() instanceof AMQP.Connection.Close close ? close : null;
  }

  private static @Nullable ShutdownSignalException signal(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ShutdownSignalException signal) {
        return signal;
      }
    }
    return null;
  }
}

package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever a handler or a listener throws, its message is counted, and given up in the end. */
@Timeout(120)
class MisbehavingErrorTest {
  private static final InboxDatabase database = InboxDatabase.create();

  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
          .build();

  @BeforeEach
  void empty() {
    database.execute(
        "truncate effect, twinbox.inbox, twinbox.inbox_failure, twinbox.inbox_dead_letter,"
            + " twinbox.inbox_redrive, twinbox.inbox_pass");
  }

  @AfterAll
  static void close() {
    database.close();
  }

  /** Kinds of them. */
  @SuppressWarnings({
    "NullAway",
    "ImmutableEnumChecker",
    "ToStringReturnsNull",
    "OverrideThrowableToString"
  }) // misbehaviour is what is tested
  enum Kind {
    MESSAGE_THROWS(Hostile::new),
    MESSAGE_IS_NULL(() -> new RuntimeException((String) null)),
    TEXT_IS_NULL(
        () ->
            new RuntimeException() {
              @Override
              public String toString() {
                return null;
              }
            }),
    TRACE_IS_NULL(
        () ->
            new RuntimeException("made up") {
              @Override
              public StackTraceElement[] getStackTrace() {
                return null;
              }
            }),
    CAUSE_THROWS(
        () ->
            new IllegalStateException("made up") {
              @Override
              public synchronized Throwable getCause() {
                throw new IllegalStateException("no cause");
              }
            }),
    CAUSE_IS_HOSTILE(() -> new IllegalStateException("made up", new Hostile())),
    SUPPRESSED_IS_HOSTILE(
        () -> {
          RuntimeException error = new IllegalStateException("made up");
          error.addSuppressed(new Hostile());
          return error;
        }),
    CAUSES_IN_A_CIRCLE(
        () -> {
          RuntimeException one = new RuntimeException("one");
          RuntimeException two = new RuntimeException("two", one);
          one.initCause(two);
          return one;
        }),
    OWN_CAUSE(
        () ->
            new RuntimeException("made up") {
              @Override
              public synchronized Throwable getCause() {
                return this;
              }
            }),
    SUPPRESSED_IN_A_CIRCLE(
        () -> {
          RuntimeException one = new RuntimeException("one");
          RuntimeException two = new RuntimeException("two", one);
          one.addSuppressed(two);
          return one;
        }),
    ENDLESS_CAUSES(
        () ->
            new RuntimeException("made up") {
              @Override
              public synchronized Throwable getCause() {
                return new RuntimeException("further", null) {
                  @Override
                  public synchronized Throwable getCause() {
                    return new IllegalStateException("deeper", this);
                  }
                };
              }
            }),
    HUGE_MESSAGE(() -> new RuntimeException("x".repeat(5_000_000))),
    NUL(() -> new RuntimeException("a\u0000b")),
    LONE_SURROGATE(() -> new RuntimeException("a\ud83db\udd11")),
    PRINTING_THROWS(
        () ->
            new RuntimeException("made up") {
              @Override
              public void printStackTrace(PrintWriter to) {
                throw new IllegalStateException("not printed");
              }

              @Override
              public void printStackTrace(PrintStream to) {
                throw new IllegalStateException("not printed");
              }
            }),
    ERROR(() -> new AssertionError("made up")),
    HOSTILE_ERROR(
        () ->
            new Error() {
              @Override
              public String getMessage() {
                throw new OutOfMemoryError("made up");
              }
            }),
    STACK_OVERFLOW(() -> deeper(1)),
    OUT_OF_MEMORY(() -> new OutOfMemoryError("made up")),
    REASON_IS_NULL(
        () ->
            new UnprocessableException("made up") {
              @Override
              public QuarantineReason reason() {
                return null;
              }
            });

    private final Supplier<Throwable> error;

    Kind(Supplier<Throwable> error) {
      this.error = error;
    }

    private static Throwable deeper(int depth) {
      return depth < 0 ? new IllegalStateException() : deeper(depth + 1);
    }
  }

  /** Says nothing of itself. */
  private static final class Hostile extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aMessageIsGivenUpAfterItsAttempts(Kind kind) {
    List<Delivery> batch = List.of(delivery(), delivery());
    Handler handler =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          if (String.valueOf(batch.get(0).id()).equals(delivery.id())) {
            sneaky(kind.error.get());
          }
        };

    List<Receipt> first = inbox.receiveAll(batch, handler);
    Receipt second = inbox.receive(batch.get(0).again(), handler);

    assertThat(first.get(1)).isInstanceOf(Receipt.Processed.class);
    if (kind == Kind.REASON_IS_NULL) {
      assertThat(first.get(0))
          .isEqualTo(new Receipt.Quarantined(QuarantineReason.UNPROCESSABLE, 1));
    } else {
      assertThat(first.get(0)).isInstanceOf(Receipt.Failed.class);
      assertThat(second).isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));
    }
    assertThat(database.effects()).containsExactly(batch.get(1).id());
    assertThat(database.texts("select error from twinbox.inbox_dead_letter").get(0))
        .hasSizeBetween(10, 8_000);
  }

  @Test
  void aRedriveOfAMessageGoesOnWhateverItsErrorIs() {
    Delivery message = delivery();
    inbox.receive(
        message,
        (delivery, work) -> {
          throw new UnprocessableException("Not yet");
        });
    Quarantine.of(database.dataSource(), "twinbox").redrive(Selection.all(), Act.by("ops"));

    try (InboxRedriver redriver =
        inbox.redriver(
            (delivery, work) -> {
              throw new Hostile();
            })) {
      redriver.runOnce();
    }

    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.count("select count(redrive) from twinbox.inbox_dead_letter")).isZero();
  }

  @Test
  void aListenerThatThrowsChangesNoReceipt() {
    List<Receipt> told = new ArrayList<>();
    inbox.addListener(
        new InboxListener() {
          @Override
          public void received(List<Receipt> receipts, Duration took) {
            throw new Hostile();
          }

          @Override
          public void handled(Duration took) {
            throw new AssertionError("made up");
          }
        });
    inbox.addListener(
        new InboxListener() {
          @Override
          public void received(List<Receipt> receipts, Duration took) {
            told.addAll(receipts);
          }

          @Override
          public void handled(Duration took) {}
        });
    Delivery message = delivery();

    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);

    assertThat(told).hasSize(1);
    assertThat(database.effects()).containsExactly(message.id());
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneaky(Throwable error) throws E {
    throw (E) error;
  }
}

package dev.twinbox.inbox;

import dev.twinbox.broker.doctor.Diagnosis;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The inbox in PostgreSQL with the handler of its messages. */
record InboxReceiver(Inbox inbox, Handler handler) implements Receiver {
  private static final Logger log = LoggerFactory.getLogger(InboxReceiver.class);

  @Override
  public String consumer() {
    return inbox.consumer();
  }

  @Override
  public Duration handlerTimeLimit() {
    return inbox.handlerTimeLimit();
  }

  @Override
  public boolean mayOvertake() {
    return inbox.mayOvertake();
  }

  @Override
  public List<Receipt> receiveAll(List<Delivery> deliveries, HandlerWatch watch) {
    return inbox.receiveAll(deliveries, watched(watch), watch::goOn);
  }

  @Override
  public void receiveEach(DeliverySource deliveries, HandlerWatch watch) {
    inbox.receiveEach(deliveries, watched(watch), watch::goOn);
  }

  private Handler watched(HandlerWatch watch) {
    return (delivery, work) -> {
      watch.begins();
      handler.handle(delivery, work);
    };
  }

  @Override
  public Diagnosis examine() {
    return inbox.examine();
  }

  @Override
  public Optional<Duration> keptFor() {
    try {
      return Optional.of(inbox.upkeep().keptFor());
    } catch (SQLException e) {
      log.debug("The dedup horizon could not be read", e);
      return Optional.empty();
    }
  }

  @Override
  public BackgroundWork backgroundWork() {
    return new Work(inbox.upkeep(), inbox.redriver(handler));
  }

  private record Work(InboxUpkeep upkeep, InboxRedriver redriver) implements BackgroundWork {
    @Override
    public void start() {
      upkeep.start();
      redriver.start();
    }

    @Override
    public void stop() {
      upkeep.close();
      redriver.stop();
    }

    @Override
    public void close(Duration limit) {
      upkeep.close();
      redriver.close(limit);
    }
  }
}

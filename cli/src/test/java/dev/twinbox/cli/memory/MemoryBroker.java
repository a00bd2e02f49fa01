package dev.twinbox.cli.memory;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import java.rmi.RemoteException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The way to a {@link MemoryServer}. Thread-safe. */
final class MemoryBroker implements Broker {
  private final String name;
  private final int port;
  private final Duration lookTimeout;
  private final Duration confirmTimeout;
  private final Set<MemoryPublisher> open = ConcurrentHashMap.newKeySet();

  MemoryBroker(String name, int port, Duration lookTimeout, Duration confirmTimeout) {
    this.name = name;
    this.port = port;
    this.lookTimeout = lookTimeout;
    this.confirmTimeout = confirmTimeout;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Publisher open(int lane) {
    MemoryPublisher publisher = new MemoryPublisher(name, port, lookTimeout, confirmTimeout);
    open.add(publisher);
    return publisher;
  }

  @Override
  public BrokerExamination examine() {
    return new Examination();
  }

  @Override
  public List<SourceLag> lag(String group, List<String> topics) {
    String consumer = name + ":" + group;
    List<SourceLag> lags = new ArrayList<>();
    for (String topic : topics) {
      try {
        Remotely server = MemoryServer.at(port);
        long lag = server.size(topic) - server.settled(group, topic);
        lags.add(new SourceLag(consumer, topic, lag, null, List.of(), null));
      } catch (RemoteException e) {
        lags.add(SourceLag.unreadable(consumer, topic, e));
      }
    }
    return lags;
  }

  @Override
  public void close() {
    open.forEach(MemoryPublisher::close);
  }

  private final class Examination implements BrokerExamination {
    @Override
    public List<Finding> broker() {
      try {
        MemoryServer.at(port).ping();
        return List.of(Finding.ok(name, "answers"));
      } catch (RemoteException e) {
        return List.of(
            Finding.unknown(
                CommonCheck.BROKER_UNREACHABLE, name, String.valueOf(e.getMessage()), "Start it."));
      }
    }

    @Override
    public List<Finding> destination(String destination, boolean keyless) {
      try {
        String topic = destination.substring(name.length() + 1);
        return MemoryServer.at(port).size(topic) < 0
            ? List.of(
                Finding.danger(
                    MemoryCheck.MEMORY_TOPIC_MISSING, destination, "no topic", "Create it."))
            : List.of(Finding.ok(destination, "exists"));
      } catch (RemoteException e) {
        return broker();
      }
    }

    @Override
    public List<Finding> consumed(String group, Collection<String> topics, Duration horizon) {
      return topics.stream()
          .flatMap(topic -> destination(name + ":" + topic, /* keyless= */ false).stream())
          .toList();
    }

    @Override
    public void close() {}
  }
}

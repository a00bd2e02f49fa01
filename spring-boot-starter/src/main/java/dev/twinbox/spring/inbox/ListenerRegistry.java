package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.PayloadDecoders;
import dev.twinbox.spring.InboxListener;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.env.Environment;

/** Finds the methods with {@link InboxListener}, by consumer; lazy beans are made for it. */
public final class ListenerRegistry {
  private final ConfigurableListableBeanFactory beans;
  private final Environment environment;
  private final PayloadDecoders decoders;
  private final Supplier<String> defaultConsumer;

  /**
   * @param defaultConsumer asked only if a listener names none
   */
  public ListenerRegistry(
      ConfigurableListableBeanFactory beans,
      Environment environment,
      PayloadDecoders decoders,
      Supplier<String> defaultConsumer) {
    this.beans = beans;
    this.environment = environment;
    this.decoders = decoders;
    this.defaultConsumer = defaultConsumer;
  }

  /**
   * All listeners, by consumer.
   *
   * @throws IllegalStateException for a listener that cannot be, naming its method and the remedy
   */
  Map<String, ListenerDispatch> find() {
    Map<String, ListenerDispatch> found = new LinkedHashMap<>();
    for (String name : beans.getBeanNamesForType(Object.class, false, false)) {
      Class<?> type = AutoProxyUtils.determineTargetClass(beans, name);
      if (type == null || !AnnotationUtils.isCandidateClass(type, InboxListener.class)) {
        continue;
      }
      Map<Method, InboxListener> methods =
          MethodIntrospector.selectMethods(
              type,
              (MethodIntrospector.MetadataLookup<InboxListener>)
                  method ->
                      AnnotatedElementUtils.findMergedAnnotation(method, InboxListener.class));
      methods.forEach((method, listener) -> add(found, name, method, listener));
    }
    return found;
  }

  private void add(
      Map<String, ListenerDispatch> found, String bean, Method method, InboxListener listener) {
    try {
      String consumer =
          listener.consumer().isEmpty() ? defaultConsumer.get() : resolved(listener.consumer());
      Object target = beans.getBean(bean);
      ListenerMethod handler =
          new ListenerMethod(
              target, AopUtils.selectInvocableMethod(method, target.getClass()), decoders);
      found
          .computeIfAbsent(consumer, name -> new ListenerDispatch())
          .add(sources(listener), Stream.of(listener.type()).map(this::resolved).toList(), handler);
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          "@InboxListener of %s: %s".formatted(method, e.getMessage()), e);
    }
  }

  private List<ListenerSource> sources(InboxListener listener) {
    List<ListenerSource> sources = new ArrayList<>();
    if (!listener.destination().isEmpty()) {
      sources.add(ListenerSource.of(resolved(listener.destination())));
    }
    for (String topic : listener.topics()) {
      sources.add(ListenerSource.topic(resolved(topic)));
    }
    if (!listener.queue().isEmpty()) {
      sources.add(ListenerSource.queue(resolved(listener.queue())));
    }
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("it names neither destination, topics nor queue.");
    }
    return sources;
  }

  private String resolved(String text) {
    return environment.resolveRequiredPlaceholders(text);
  }
}

package dev.twinbox.spring.autoconfigure;

import dev.twinbox.outbox.Message;
import dev.twinbox.spring.OutboxMessage;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.env.Environment;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.Expression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.SimpleEvaluationContext;

/** Makes messages of events that have {@link OutboxMessage}. Thread-safe. */
public final class OutboxEvents implements Function<Object, Message> {
  private static final SpelExpressionParser PARSER = new SpelExpressionParser();
  private static final EvaluationContext READING =
      SimpleEvaluationContext.forReadOnlyDataBinding().withInstanceMethods().build();

  private final Environment environment;
  private final ConcurrentMap<Class<?>, Optional<Form>> forms = new ConcurrentHashMap<>();

  OutboxEvents(Environment environment) {
    this.environment = environment;
  }

  /** What all events of a class have in common. */
  private record Form(Message message, @Nullable Expression key) {}

  /** Whether events of a class are messages. */
  boolean knows(Class<?> type) {
    return form(type).isPresent();
  }

  @Override
  public Message apply(Object event) {
    Form form =
        form(event.getClass())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "%s has no @OutboxMessage. Annotate the class, or enqueue a Message."
                            .formatted(event.getClass().getName())));
    Message message = form.message.json(event);
    Expression expression = form.key;
    return expression == null ? message : message.key(key(expression, event));
  }

  private static String key(Expression expression, Object event) {
    Object key = expression.getValue(READING, event);
    if (key == null) {
      throw new IllegalArgumentException(
          "The key of %s, '%s', is null. Set it before the event is enqueued, or leave key out of its @OutboxMessage."
              .formatted(event.getClass().getName(), expression.getExpressionString()));
    }
    return key.toString();
  }

  private Optional<Form> form(Class<?> type) {
    return forms.computeIfAbsent(type, this::read);
  }

  private Optional<Form> read(Class<?> type) {
    OutboxMessage annotation =
        AnnotatedElementUtils.findMergedAnnotation(type, OutboxMessage.class);
    if (annotation == null) {
      return Optional.empty();
    }
    Message message =
        Message.to(environment.resolveRequiredPlaceholders(annotation.to()))
            .type(annotation.type());
    String key = annotation.key();
    return Optional.of(
        new Form(
            annotation.ordered() ? message.ordered() : message,
            key.isEmpty() ? null : PARSER.parseExpression(key)));
  }
}

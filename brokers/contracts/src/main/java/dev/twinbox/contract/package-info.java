/**
 * What every broker has to prove, as JUnit tests: extend {@link
 * dev.twinbox.contract.PublisherContract} and {@link dev.twinbox.contract.ConsumerContract} with a
 * real server. Needs PostgreSQL, which the testkit starts.
 */
@NullMarked
package dev.twinbox.contract;

import org.jspecify.annotations.NullMarked;

/** {@link Channels} over an upstream: a channel a log, as long as somebody reads it and a moment longer. */
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { Cache } from '../device.ts';
import { CLIENT_CLOSED } from '../errors.ts';
import type { ClientStart, Receiver, Upstream } from '../upstream.ts';
import { Channel } from './channel.ts';
import type { Channels } from './consumer.ts';
import { Reader } from './reader.ts';

/** Who leaves a log and is back at once, as React does it in development, does not start it again. */
const GRACE = 1_000;

export interface ChannelsOptions {
  /** Resolves once what is kept on the device is open. It does not reject. */
  readonly cache?: Promise<Cache | undefined> | undefined;
  /** Whether it is this tab that fills the cache. Default: it is. */
  readonly writesCache?: (() => boolean) | undefined;
}

export interface LogChannels extends Channels {
  /** What the upstream tells. */
  readonly receiver: Receiver;
  cursor(log: LogName): EventId | undefined;
  /** Every reader is told that it has failed, also those to come. Default: with the code `closed`. */
  close(failure?: Failure): void;
}

interface Place {
  readonly channel: Channel;
  leaving: ReturnType<typeof setTimeout> | undefined;
}

/** @param upstream asked for when a log is first followed, as it is told of {@link LogChannels.receiver} when it is made */
export function createChannels(
  upstream: () => Pick<Upstream, 'follow' | 'unfollow'>,
  { cache, writesCache = () => true }: ChannelsOptions = {},
): LogChannels {
  const places = new Map<LogName, Place>();
  let ended: Failure | undefined;
  const parts = {
    cache,
    writesCache,
    follow: (log: LogName, start: ClientStart) => upstream().follow(log, start),
  };
  const channelOf = (log: LogName) => places.get(log)?.channel;

  const leave = (log: LogName, place: Place) => {
    if (places.get(log) !== place || !place.channel.isIdle) return;
    place.leaving = setTimeout(() => {
      places.delete(log);
      upstream().unfollow(log);
    }, GRACE);
  };

  return {
    open(log, start, consumer) {
      if (ended !== undefined) {
        const failure = ended;
        let isOpen = true;
        queueMicrotask(() => isOpen && consumer.failed(failure));
        return () => {
          isOpen = false;
        };
      }
      const place = places.get(log) ?? { channel: new Channel(log, parts), leaving: undefined };
      places.set(log, place);
      clearTimeout(place.leaving);
      const reader = new Reader(start, consumer);
      place.channel.open(reader);
      return () => {
        if (!reader.isOpen) return;
        place.channel.close(reader);
        leave(log, place);
      };
    },

    receiver: {
      events: (log, events) => channelOf(log)?.events(events),
      live: (log, at) => channelOf(log)?.live(at),
      trimmed: (log, resumeAfter) => channelOf(log)?.trimmed(resumeAfter),
      reset: (log, version) => channelOf(log)?.reset(version),
      failed(log, failure) {
        const channel = channelOf(log);
        // Whoever opens it from now on tries again.
        places.delete(log);
        channel?.failed(failure);
      },
    },

    cursor: (log) => channelOf(log)?.cursor,

    close(failure = CLIENT_CLOSED) {
      ended ??= failure;
      const all = [...places.values()];
      places.clear();
      for (const { channel, leaving } of all) {
        clearTimeout(leaving);
        channel.failed(failure);
      }
    },
  };
}

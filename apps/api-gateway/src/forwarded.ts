import type { IncomingMessage } from 'node:http';
import { plainAddress, type Networks } from './networks.ts';

export interface Forwarded {
  /** The address the request came from: the nearest that is no proxy of ours. */
  addressOf(request: IncomingMessage): string;
  /** The host the request was sent to, in lower case and without port. */
  hostOf(request: IncomingMessage): string | undefined;
}

/** What proxies say about a request is believed of `trusted` proxies alone: anybody can write these headers. */
export function createForwarded(trusted: Networks | undefined): Forwarded {
  const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress) ?? '';
  const isTrusted = (address: string): boolean => trusted?.has(address) ?? false;
  return {
    addressOf(request) {
      const peer = peerOf(request);
      const chain = request.headers['x-forwarded-for'];
      if (chain === undefined || !isTrusted(peer)) return peer;
      let nearest = peer;
      // Each proxy appends who it was called by: from the right, as far as those who say so are ours.
      for (const text of textOf(chain).split(',').toReversed()) {
        const address = plainAddress(withoutPort(text.trim()));
        if (address === undefined) return nearest;
        nearest = address;
        if (!isTrusted(address)) return address;
      }
      return nearest;
    },
    hostOf(request) {
      const told = request.headers['x-forwarded-host'];
      // Of several the nearest proxy's own: the others came with the request.
      const text = told !== undefined && isTrusted(peerOf(request)) ? textOf(told).split(',').at(-1) : request.headers.host;
      return text === undefined ? undefined : /^\s*([^:[\]\s]+?)\.?(?::\d{1,5})?\s*$/.exec(text)?.[1]?.toLowerCase();
    },
  };
}

function textOf(header: string | string[]): string {
  return typeof header === 'string' ? header : header.join(',');
}

/** Some proxies name the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

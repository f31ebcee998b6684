// The writes that are not with the server: those that will be sent, in order, and those it refused.

import type { Address } from "./address";
import { Dialog } from "./dialog";
import { Fault, Layer, When } from "./parts";
import { refusedOf, useReplica } from "./reading";
import { type OnEdit, RefusedWrites } from "./refused";

export function Queue(props: {
  error: unknown;
  onClose: () => void;
  onGo: (address: Address) => void;
  onEdit: OnEdit;
}) {
  const { replica } = useReplica();
  const pending = replica.pending();
  const refused = refusedOf(pending);
  const waiting = pending.filter(({ state }) => state !== "refused");
  const go = ({ level, id }: Address) => {
    props.onGo({ level, id });
    props.onClose();
  };
  return (
    <Dialog title="Still to be sent" onClose={props.onClose}>
      {props.error !== null && <Fault error={props.error} />}
      {refused.length > 0 && (
        <RefusedWrites
          writes={refused}
          onGo={go}
          onEdit={(write, tab) => {
            props.onClose();
            props.onEdit(write, tab);
          }}
        />
      )}
      {waiting.length === 0 ? (
        <p class="nothing">{refused.length > 0 ? "Nothing else waits." : "Nothing: the server has everything."}</p>
      ) : (
        <ol class="queue">
          {waiting.map((write) => (
            <li key={write.key}>
              <button type="button" onClick={() => go(write)}>
                <Layer of={write} />
                <strong>{write.action.replaceAll("_", " ")}</strong>
                <span class="quiet">
                  {write.state === "in-flight" ? "on its way" : "waiting"}, <When at={write.at} />
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {replica.status.polling && (
        <p class="quiet">This network carries no WebSockets. Changes of others are asked for every five seconds.</p>
      )}
      <p class="quiet">Kept on this device until the server has confirmed it; closing the page loses nothing.</p>
    </Dialog>
  );
}

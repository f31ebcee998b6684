// A choice of a few options, for the rooms that have one.

/** A choice of a few options. */
export function Choice<T extends string>(props: {
  label: string;
  name: string;
  chosen: T;
  options: readonly (readonly [T, string])[];
  onChoose: (option: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{props.label}</legend>
      {props.options.map(([option, label]) => (
        <label key={option} class={option === props.chosen ? "on" : ""}>
          <input
            type="radio"
            name={props.name}
            checked={option === props.chosen}
            onChange={() => props.onChoose(option)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

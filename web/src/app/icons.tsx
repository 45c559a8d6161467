/** Line icons, drawn here so that nothing is fetched from elsewhere. They carry no meaning without text beside them. */

const icon = (path: string) => () => (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d={path} />
  </svg>
);

const mic = "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5 11a7 7 0 0 0 14 0M12 18v3";
const camera = "M3 7h11v10H3zM14 10l6-3v10l-6-3";
const slash = "M4 3l16 18";

export const MicIcon = icon(mic);
export const MicOffIcon = icon(mic + slash);
export const CameraIcon = icon(camera);
export const CameraOffIcon = icon(camera + slash);
export const SpeakingIcon = icon("M5 10v4M9 6v12M13 9v6M17 5v14M21 10v4");
export const PeopleIcon = icon("M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500a6.500 6.500 0 0 1 3.500 5.500");
export const SettingsIcon = icon("M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0z");
/** Three dots, as discs: a line of no length is too thin to see. */
export const MoreIcon = () => (
  <svg viewBox="0 0 24 24" aria-hidden="true" class="dots">
    <circle cx="12" cy="5" r="1.7" />
    <circle cx="12" cy="12" r="1.7" />
    <circle cx="12" cy="19" r="1.7" />
  </svg>
);
export const CloseIcon = icon("M6 6l12 12M18 6L6 18");
export const LeaveIcon = icon("M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9");
export const WarnIcon = icon("M12 4l9 16H3zM12 10v4M12 17v.01");

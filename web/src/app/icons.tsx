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
const screen = "M3 5h18v11H3zM9 20h6M12 16v4";
export const ScreenIcon = icon(screen);
export const ScreenOffIcon = icon(screen + slash);
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
export const HandIcon = icon("M8 12.500V6a1.600 1.600 0 0 1 3.200 0v5V4.600a1.600 1.600 0 0 1 3.200 0V11V6.400a1.600 1.600 0 0 1 3.200 0V15a6 6 0 0 1-6 6c-3 0-4.500-2-6-5l-1.500-3a1.500 1.500 0 0 1 2.600-1.500z");
export const ChatIcon = icon("M4 5h16v11h-9l-5 4v-4H4zM8 9h8M8 12h5");
export const SendIcon = icon("M4 12L20 4l-6 16-3-7zM11 13l9-9");
export const PinIcon = icon("M9 4h6l-1 6 3 3H7l3-3zM12 13v7");
export const LockIcon = icon("M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3");
export const CheckIcon = icon("M5 12.500l4.500 4.500L19 7.500");
export const DashIcon = icon("M6 12h12");
export const OfflineIcon = icon("M4 9.500a12 12 0 0 1 16 0M7.500 13a7 7 0 0 1 9 0M12 17.500v.01M4 3l16 18");
export const PollIcon = icon("M5 20V11M12 20V4M19 20v-6");
export const SmileIcon = icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500v.01M15 9.500v.01");
export const PlusIcon = icon("M12 5v14M5 12h14");

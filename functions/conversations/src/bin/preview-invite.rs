fn main() -> std::process::ExitCode {
    conversations::preview_invite::main()
}

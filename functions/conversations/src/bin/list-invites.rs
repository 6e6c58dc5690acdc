fn main() -> std::process::ExitCode {
    conversations::list_invites::main()
}
